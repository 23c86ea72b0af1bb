import Foundation
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// A service whose queue is on a PostgreSQL server that can't be had, or is lost.
    @Suite(.enabled(if: PostgreSQLServer.programs != nil, "needs the Debian package postgresql"))
    struct DatabaseServerTests {
        private static let secret = "a-secret-between-us"

        /// Settings whose database is at this address.
        static func settings(_ folder: TemporaryDirectory, _ database: String) throws -> String {
            try folder.write(
                """
                listen: 127.0.0.1:0
                data: \(folder["data"])
                workers: 0
                database: \(database)
                repositories:
                  acme/shop: {source: /nowhere, image: localhost:1/acme/shop, webhook_secret: \(secret)}
                """, to: "slipway.yaml")
        }

        /// Ends at once or after a while, with a sentence that says what to do.
        @Test(.timeLimit(.minutes(6)))
        func aStartThatIsOfNoUse() async throws {
            let server = try await PostgreSQLServer()
            try await server.sql("ALTER ROLE slipway PASSWORD 'right'")
            try await server.sql("CREATE DATABASE newer")
            try await server.sql(
                "CREATE TABLE slipway_schema (number integer); INSERT INTO slipway_schema VALUES (99)", in: "newer")
            let trusted = [
                ("postgresql://slipway@127.0.0.1:1/slipway", "start the server, or correct the host and port"),
                (server.url("none"), "create it (createuser, createdb)"),
                (server.url("newer"), "run a newer slipway"),
                ("\"\(server.url())?sslmode=require\"", "turn TLS on at the server"),
            ]
            for (address, advice) in trusted { try await expectRefusal(address, advice) }
            try await server.admit("host all all 127.0.0.1/32 scram-sha-256")
            try await expectRefusal(
                "{url: \"\(server.url())\", password: {env: WRONG}}", "set the user's \"password\" under \"database\"")
            await server.stop()
        }

        private func expectRefusal(_ database: String, _ advice: String) async throws {
            let folder = try TemporaryDirectory()
            let config = try Self.settings(folder, database)
            for command in ["serve", "migrate"] {
                let run = try await ProgramRun.slipway(
                    [command, "--config", config], environment: ["WRONG": "a-wrong-password"])
                #expect(run.status == 2, "\(run.errors)")
                #expect(run.output == "")
                #expect(run.errors.contains("the database postgresql://127.0.0.1:"), "\(run.errors)")
                #expect(run.errors.contains(advice), "\(run.errors)")
                #expect(!run.errors.contains("a-wrong-password"), "\(run.errors)")
            }
        }

        /// The server goes and comes back, while the same service goes on.
        @Test(.enabled(if: Machine.has("buildah", "docker-registry")), .timeLimit(.minutes(6)))
        func aServerThatGoesAndComesBack() async throws {
            let server = try await PostgreSQLServer()
            let bed = try await Bed(start: false)
            try bed.replace(
                try await Machine.databaseSetting(for: bed.path), "database: \(try await server.database("bed"))")
            try await bed.startService()
            let first = try await bed.push("one")
            #expect(try await bed.service.wait(for: first.id).state == "finished")

            await server.stop(atOnce: true)
            let ready = try await bed.service.request("GET", "/readyz")
            #expect(ready.status == 503)
            let detail = ready.object["detail"] as? String ?? ""
            #expect(
                detail.contains("the database takes nothing") && detail.contains("start the server"), "\(ready.text)")
            #expect(try await bed.service.request("GET", "/healthz").status == 200)
            try bed.write("two")
            let commit = try bed.git.commit("Say two")
            try bed.git.push("refs/heads/main")
            let refused = try await bed.tell("refs/heads/main", commit)
            #expect(refused.status == 503, "\(refused.text)")
            #expect(refused.text.contains("send it again"), "\(refused.text)")
            #expect(!refused.text.contains("127.0.0.1"), "no word of the inside to whoever asks: \(refused.text)")

            try await server.start()
            let told = try await bed.tell("refs/heads/main", commit)
            #expect(told.status == 202, "\(told.text)")
            let second = try #require(told.builds.first)
            #expect(try await bed.service.wait(for: second.id).state == "finished", "\(bed.service.log)")
            #expect(try await bed.hello("latest") == "two")
            // Within seconds it tells again that its worker is there.
            var again = ""
            let isReady = try await eventually(.seconds(60)) {
                again = try await bed.service.request("GET", "/readyz").text
                return again == "ready\n"
            }
            #expect(isReady, "\(again)")
            // And each connection ended, which nobody is told of.
            try await server.endConnections(to: "bed")
            let third = try await bed.push("three")
            #expect(try await bed.service.wait(for: third.id).state == "finished", "\(bed.service.log)")
            #expect(try await bed.service.request("GET", "/api/v1/builds").builds.count == 3)
            await bed.stop()
            await server.stop()
        }

        // MARK: migrate, copy, backup

        @Test(.timeLimit(.minutes(6)))
        func theHistoryMovesThereAndBack() async throws {
            let server = try await PostgreSQLServer()
            try await server.sql("ALTER ROLE slipway PASSWORD 'right'")
            let address = try await server.database("moved")
            try await server.admit("host all all 127.0.0.1/32 scram-sha-256")
            let folder = try TemporaryDirectory()
            let here = try Self.settings(folder, "sqlite")
            func slipway(_ words: String..., environment: [String: String] = [:]) async throws -> ProgramRun {
                try await ProgramRun.slipway(words, environment: environment)
            }
            let new = try await slipway("migrate", "--config", here)
            #expect(new.status == 0 && new.output.hasSuffix(", new\n"), "\(new)")
            #expect(try await slipway("migrate", "--config", here).output.hasSuffix(", as before\n"))

            let service = try await Service.start(config: here)
            let push = Webhook(ref: "refs/heads/main", commit: String(repeating: "a", count: 40), secret: Self.secret)
                .body
            let proof = "sha256=" + Crypto.hmacSHA256(key: Data(Self.secret.utf8), push).hex
            let reply = try await service.request(
                "POST", "/webhooks/acme/shop",
                headers: [
                    "Content-Type": "application/json", "X-GitHub-Event": "push", "X-Hub-Signature-256": proof,
                ], body: push)
            #expect(reply.status == 202, "\(reply.text)")
            let busy = try await slipway("copy", "--from", "sqlite", "--to", address, "--config", here)
            #expect(busy.status == 2 && busy.errors.contains("another slipway (process \(service.pid))"), "\(busy)")
            let locked = try await slipway("migrate", "--config", here)
            #expect(locked.status == 2 && locked.errors.contains("another slipway"), "\(locked)")
            await service.stop()

            let unknown = try await slipway("copy", "--from", "sqlite", "--to", address, "--config", here)
            #expect(unknown.status == 2 && unknown.errors.contains("no password supplied"), "\(unknown)")
            let moved = try await slipway(
                "copy", "--from", "sqlite", "--to", address, "--config", here, environment: ["PGPASSWORD": "right"])
            #expect(moved.status == 0, "\(moved)")
            #expect(moved.output == "builds 1, deliveries 1, log 0 B\n")

            // With the settings' own password now.
            let there = try Self.settings(folder, "{url: \"\(address)\", password: right}")
            let shared = try await Service.start(config: there)
            #expect(try await shared.request("GET", "/api/v1/builds").builds.map(\.state) == ["pending"])
            await shared.stop()
            let back = folder["back.sqlite"]
            let returned = try await slipway("copy", "--from", address, "--to", "sqlite:\(back)", "--config", there)
            #expect(returned.status == 0 && returned.output == moved.output, "\(returned)")
            let full = try await slipway("copy", "--from", address, "--to", "sqlite", "--config", there)
            #expect(full.status == 2 && full.errors.contains("is not empty"), "\(full)")

            let backup = try await slipway("backup", folder["backup"], "--config", there)
            #expect(backup.status == 2 && backup.errors.contains("pg_dump"), "\(backup)")
            let odd = try await slipway("copy", "--from", "mysql://x", "--to", "sqlite", "--config", there)
            #expect(odd.status == 1 && odd.errors.contains("\"mysql://x\" is no address of a database"), "\(odd)")
            #expect(try await slipway("copy", "--from", "sqlite").errors.contains("--to is missing"))
            await server.stop()
        }
    }
}
