import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Every way in which Docker Hub's users call their triggers, by the real curl, with nothing but the host changed.
    @Suite(.enabled(if: Machine.has("curl", "docker-registry", "git")))
    struct DockerHubTriggerTests {
        private struct Reply {
            let status: Int
            let text: String
            var json: Any? { try? JSONSerialization.jsonObject(with: Data(text.utf8)) }
            var object: [String: Any] { json as? [String: Any] ?? [:] }
        }

        /// `curl` with these arguments, and beside them what keeps it quiet and tells the status.
        private func curl(_ arguments: [String]) async throws -> Reply {
            let output = try await Command.run("curl", ["-s", "-w", "\n%{http_code}"] + arguments)
            let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
            return Reply(status: Int(lines.last ?? "") ?? 0, text: lines.dropLast().joined(separator: "\n"))
        }

        private static let addresses = [
            "/u/hubuser/hubimage/trigger/TOKEN/", "/u/hubuser/hubimage/trigger/TOKEN",
            "/api/build/v1/source/5a0e2bcc-0000-4000-8000-000000000001/trigger/TOKEN/call/",
            "/api/build/v1/source/5a0e2bcc-0000-4000-8000-000000000001/trigger/TOKEN/call",
            "/triggers/TOKEN",
        ]

        /// As documented; left to curl, which says that it is a form; left out; wrong.
        private static let contentTypes = [
            ["-H", "Content-Type: application/json"], [], ["-H", "Content-Type:"], ["-H", "Content-Type: text/plain"],
            ["-H", "Content-Type: application/x-www-form-urlencoded; charset=utf-8"],
        ]

        private static let (main, staging) = ("refs/heads/main", "refs/heads/staging")

        /// What follows `--data`, nil for a line without it, and what is built.
        private static let bodies: [(String?, Set<String>)] = [
            // all rules that name a ref
            (nil, [main, staging]), ("", [main, staging]), ("build=true", [main, staging]),
            ("{\"build\": true}", [main, staging]),
            // by image tag, under both names
            ("{\"docker_tag\": \"staging\"}", [staging]), ("{\"docker_tag_name\": \"latest\"}", [main]),
            ("docker_tag=staging", [staging]),
            // as if pushed
            ("{\"source_type\": \"Branch\", \"source_name\": \"staging\"}", [staging]),
            ("{\"source_type\": \"Tag\", \"source_name\": \"v1.1\"}", ["refs/tags/v1.1"]),
            ("source_type=Tag&source_name=v1.2", ["refs/tags/v1.2"]),
            ("{\"docker_tag\": \"latest\", \"source_name\": \"main\"}", [main]),
            ("{\"docker_tag\": \"latest\", \"source_name\": \"staging\"}", []),
            // a variable that the shell left alone
            ("{\"docker_tag\": \"$DOCKER_TAG\"}", []),
        ]

        private static func repository(_ number: Int) -> String {
            """
              acme/r\(number):
                source: /srv/shop.git
                image: localhost:5000/acme/r\(number)
                trigger_tokens: ["trigger-token-\(number)"]
                rules:
                  - {branch: main, tags: latest}
                  - {branch: staging, tags: staging}
                  - {tag: '/^v([0-9.]+)$/', tags: '{\\1}'}

            """
        }

        @Test(.timeLimit(.minutes(5)))
        func everyLine() async throws {
            // A repository for each line: what is pending would not be made again.
            let lines = Self.addresses.flatMap { address in
                Self.contentTypes.flatMap { type in Self.bodies.map { (address, type, $0.0, $0.1) } }
            }
            let bed = try await Bed(workers: 0, more: lines.indices.map(Self.repository).joined())
            for (number, (address, type, body, refs)) in lines.enumerated() {
                let url = bed.service.url + address.replacing("TOKEN", with: "trigger-token-\(number)")
                let reply = try await curl(type + (body.map { ["--data", $0] } ?? []) + ["-X", "POST", url])
                #expect(reply.status == (address.hasPrefix("/u/") ? 200 : 202), "\(type) \(body ?? "") \(reply)")
                if address.hasPrefix("/u/") { #expect(reply.text == "OK") }
                if address.hasPrefix("/api/") { #expect(reply.object["state"] as? String == "Empty") }
                let builds = try await bed.service.request("GET", "/api/v1/builds?repository=acme/r\(number)").builds
                let started = Set(builds.compactMap { $0.json["ref"] as? String })
                #expect(started == refs, "\(address) \(type) \(body ?? "no body")")
            }
            #expect(!bed.service.log.contains("trigger-token"))
            await bed.stop()
        }

        /// What scripts look for in the answers.
        @Test(.timeLimit(.minutes(6)))
        func answers() async throws {
            let bed = try await Bed(workers: 0, more: (0...1).map(Self.repository).joined())
            let classic = bed.service.url + "/u/hubuser/hubimage/trigger/trigger-token-0/"
            let body = ["--data", "{\"source_type\": \"Branch\", \"source_name\": \"main\"}", "-X", "POST"]
            let list = try await curl(["-H", "Accept: application/json"] + body + [classic])
            let build = try #require((list.json as? [[String: Any]])?.first)
            #expect(build["msg"] as? String == "Build submitted")
            #expect(build["evaluated_tag_name"] as? String == "latest")
            // Ours: where to wait for it.
            let wait = try #require(build["url"] as? String)
            #expect(try await curl([wait]).object["state"] as? String == "pending")
            let again = try await curl(["-H", "Accept: application/json"] + body + [classic])
            #expect(
                (again.json as? [[String: Any]])?.first?["msg"] as? String
                    == "A build for tag latest is already pending. Ignoring request.")
            let source = bed.service.url + "/api/build/v1/source/x/trigger/trigger-token-0/call/"
            #expect(try await curl(body + [source]).object["state"] as? String == "Building")
            // A script with -f fails by itself, and one that looks for "error" finds it.
            for address in [classic, source] {
                let bad = try await curl(["--data", "{\"docker_tag\": 5}", "-X", "POST", address])
                #expect(bad.status == 400)
                #expect((bad.object["error"] as? String)?.contains("docker_tag") == true, "\(bad)")
                let unknown = try await curl(["-X", "POST", address.replacing("token-0", with: "token-9")])
                #expect(unknown.status == 404)
                #expect((unknown.object["error"] as? String)?.contains("trigger token") == true, "\(unknown)")
                await #expect(throws: Command.Failed.self) {
                    try await Command.run("curl", ["-f", "-s", "--data", "[1]", "-X", "POST", address])
                }
            }
            #expect(!bed.service.log.contains("trigger-token"), "\(bed.service.log)")
            await bed.stop()
        }
    }
}
