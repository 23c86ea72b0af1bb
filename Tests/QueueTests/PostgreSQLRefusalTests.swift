import Foundation
import Model
import Platform
import TestSupport
import Testing

@testable import Queue

/// Servers that can't be had: what is said of them, how soon, and that no restart is needed once they can.
@Suite(.enabled(if: PostgreSQLServer.programs != nil, "needs the Debian package postgresql"))
struct PostgreSQLRefusalTests {
    private static let patience = Duration.seconds(2)

    /// That the database can't be opened, with all of these words; no sooner than it was tried long enough, or at once.
    private func expect(
        _ words: String..., from url: String, password: String? = nil, isWaitedFor: Bool = false,
        kind: StoreError.Kind = .refused, location: SourceLocation = #_sourceLocation
    ) async {
        let address = PostgreSQLAddress(url: url, password: password.map { Secret($0) })
        let start = ContinuousClock.now
        let error = await #expect(throws: StoreError.self, sourceLocation: location) {
            // Long enough that a try too many would be seen.
            let patience: Duration = isWaitedFor ? Self.patience : .seconds(120)
            try await DatabaseStore.open(postgreSQL: address, patience: patience).close()
        }
        let text = error?.description ?? ""
        #expect(error?.kind == kind, "\(text)", sourceLocation: location)
        #expect(start.duration(to: .now) < .seconds(100), sourceLocation: location)
        for word in words + ["the database postgresql://"] {
            #expect(text.contains(word), "\(text)", sourceLocation: location)
        }
        #expect(password.map { text.contains($0) } != true, "\(text)", sourceLocation: location)
    }

    @Test func wrongAddresses() async throws {
        let server = try #require(try await PostgreSQLServer.shared())
        await expect(
            "Connection refused", "start the server, or correct the host and port", "127.0.0.1:1/",
            from: "postgresql://slipway@127.0.0.1:1/slipway", isWaitedFor: true, kind: .unreachable)
        await expect(
            "could not translate host name \"nowhere.invalid\"", "correct the host",
            from: "postgresql://slipway@nowhere.invalid/slipway", isWaitedFor: true, kind: .unreachable)
        await expect("database \"none\" does not exist", "create it (createuser, createdb)", from: server.url("none"))
        await expect(
            "role \"nobody\" does not exist", "create it (createuser, createdb)",
            from: server.url().replacing("slipway@", with: "nobody@"))
    }

    /// What libpq can't read it tells with the address, whose password nobody is to see.
    @Test(arguments: [
        ("postgresql://slipway:pass%zzword@127.0.0.1/slipway", "invalid percent-encoded token"),
        ("postgresql://slipway:password@[::1/slipway", "end of string reached"),
        ("postgresql://slipway:password@127.0.0.1/slipway?sslmod=require", "invalid URI query parameter: \"sslmod\""),
        ("postgresql://slipway:password@127.0.0.1/slipway?sslmode=always", "invalid sslmode value: \"always\""),
        ("postgresql://slipway:password@127.0.0.1:x/slipway", "invalid"),
    ])
    func addressesThatCannotBeRead(_ url: String, words: String) async throws {
        let start = ContinuousClock.now
        let error = await #expect(throws: StoreError.self) {
            try await DatabaseStore.open(postgreSQL: PostgreSQLAddress(url: url), patience: .seconds(120)).close()
        }
        let text = error?.description ?? ""
        #expect(error?.kind == .refused && text.contains(words) && text.contains("; correct the address"), "\(text)")
        #expect(!text.contains("pass"), "\(text)")
        #expect(start.duration(to: .now) < .seconds(100))
    }

    @Test func aServerThatTakesConnectionsAndSaysNothing() async throws {
        let silent = try StallingRelay()
        await expect(
            "no answer within its time", from: "postgresql://slipway@127.0.0.1:\(silent.port)/slipway",
            isWaitedFor: true, kind: .unreachable)
        silent.stop()
    }

    @Test func encryptionThatIsNotThere() async throws {
        let server = try #require(try await PostgreSQLServer.shared())
        await expect(
            "server does not support SSL", "turn TLS on at the server", from: server.url() + "?sslmode=require")
    }

    @Test func passwordsAndHosts() async throws {
        let server = try await PostgreSQLServer()
        let url = try await server.database("guarded")
        try await server.sql("ALTER ROLE slipway PASSWORD 'right'")
        try await server.admit("host all all 127.0.0.1/32 scram-sha-256")
        await expect("password authentication failed", "set the user's \"password\"", from: url, password: "wrong")
        await expect("no password supplied", "set the user's \"password\"", from: url)
        let store = try await DatabaseStore.open(
            postgreSQL: PostgreSQLAddress(url: url, password: Secret("right")), patience: .seconds(60))
        try await store.probe()

        // Nobody is let in any more, and then they are again.
        try await server.admit("host all all 192.0.2.0/24 trust")
        try await server.endConnections()
        let start = ContinuousClock.now
        let error = await #expect(throws: StoreError.self) { _ = try await store.load() }
        #expect(error?.description.contains("no pg_hba.conf entry") == true)
        #expect(error?.description.contains("let this machine in") == true)
        #expect(start.duration(to: .now) < .seconds(50))
        try await server.admit("host all all 127.0.0.1/32 scram-sha-256")
        try await store.probe()
        await store.close()
        await server.stop()
    }

    @Test func aUserWithoutRights() async throws {
        let server = try #require(try await PostgreSQLServer.shared())
        let url = try await server.database("foreign")
        try await server.sql("CREATE ROLE guest LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC", in: "foreign")
        await expect(
            "permission denied for schema public", "make the user the owner of the database",
            from: url.replacing("slipway@", with: "guest@"), kind: .failed)
        try await server.drop("foreign")
        try await server.sql("DROP ROLE guest")
    }

    @Test func aNewerSchemaIsLeftAlone() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let server = try #require(try await PostgreSQLServer.shared())
            let name = URL(fileURLWithPath: fixture.folder).lastPathComponent
            try await server.sql("UPDATE slipway_schema SET number = 99", in: name)
            await expect("its schema is number 99", "run a newer slipway", from: server.url(name), kind: .unreadable)
        }
    }

    /// What is refused as a whole leaves nothing, and many who begin at once don't trip over each other.
    @Test func manyMakeTheSchemaAtOnce() async throws {
        let server = try #require(try await PostgreSQLServer.shared())
        for round in 1...3 {
            let name = "many-\(round)"
            let address = PostgreSQLAddress(url: try await server.database(name))
            let steps = try await withThrowingTaskGroup(of: SchemaStep.self) { group in
                for _ in 1...8 {
                    group.addTask {
                        let store = try await DatabaseStore.open(postgreSQL: address)
                        try await store.probe()
                        await store.close()
                        return store.schema
                    }
                }
                return try await group.reduce(into: [SchemaStep]()) { $0.append($1) }
            }
            let last = try #require(PostgreSQLMigration.all.last?.number)
            #expect(steps.filter { $0.before == 0 }.count == 1)
            #expect(steps.filter { $0.before == last }.count == 7)
            #expect(steps.allSatisfy { $0.now == last })
            try await server.drop(name)
        }
    }

    @Test func aStandby() async throws {
        let primary = try await PostgreSQLServer()
        let standby = try await PostgreSQLServer(following: primary.url())
        let alone = standby.url()
        await expect(
            "session is read-only", "name the primary in the address, or both", from: alone, isWaitedFor: true,
            kind: .unreachable)
        let both = "postgresql://slipway@127.0.0.1:\(standby.port),127.0.0.1:\(primary.port)/postgres"
        let store = try await DatabaseStore.open(postgreSQL: PostgreSQLAddress(url: both), patience: .seconds(60))
        try await store.pause(Pause(since: Date(), by: "ops"))
        // The primary goes for good, once the standby has all of it.
        let end = ContinuousClock.now + .seconds(60)
        while (try? await standby.sql("SELECT count(*) FROM pause")) != "1", ContinuousClock.now < end {}
        await primary.stop()
        async let paused = store.paused()
        try await standby.promote()
        #expect(try await paused?.by == "ops")
        _ = try await store.resume()
        try await store.probe()
        await store.close()
        await standby.stop()
    }

    /// As a server's operator, or a full disk's guard, may say it in the middle of everything.
    @Test func aServerThatTakesNoChanges() async throws {
        let server = try await PostgreSQLServer()
        let address = PostgreSQLAddress(url: try await server.database("still"))
        let store = try await DatabaseStore.open(postgreSQL: address, patience: Self.patience)
        try await server.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        try await server.sql("SELECT pg_reload_conf()")
        try await server.endConnections()
        let error = await #expect(throws: StoreError.self) { try await store.probe() }
        #expect(error?.kind == .unreachable)
        #expect(error?.description.contains("or takes no changes") == true, "\(String(describing: error))")
        try await server.sql(
            "ALTER SYSTEM RESET default_transaction_read_only")
        try await server.sql("SELECT pg_reload_conf()")
        #expect(try await eventuallyWell { try await store.probe() })
        await store.close()
        await server.stop()
    }
}

/// Asks until nothing is thrown.
func eventuallyWell(_ limit: Duration = .seconds(60), _ body: () async throws -> Void) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        do {
            try await body()
            return true
        } catch is StoreError {
            // Not yet.
        }
    }
    return false
}
