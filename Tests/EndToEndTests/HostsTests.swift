import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The network that the tests of many machines stand on: what is cut hangs, and what is healed goes on.
    @Suite(.enabled(if: Hosts.isPossible, "needs root, and network namespaces of its own (Debian package iproute2)"))
    struct HostsTests {
        /// How `timeout` of coreutils ends where the program did not.
        private static let hung: Int32 = 124

        @Test(.enabled(if: GitDaemon.isPossible && Machine.has("git", "timeout")), .timeLimit(.minutes(6)))
        func aCutLinkHangsUntilItIsHealed() async throws {
            let root = try TemporaryDirectory()
            let git = try await GitRepository.make(at: root["shop"])
            let commit = try await git.commit()
            try await Hosts.run(["here", "there", "beside"]) { hosts in
                let (here, there, beside) = (hosts["here"], hosts["there"], hosts["beside"])
                let server = try await GitDaemon.start(root: root.path, port: 9418, on: there)
                func look(from host: NetworkHost) async throws -> String {
                    try await host.run("timeout", ["2", "git", "ls-remote", server.url(for: "shop")])
                }
                func hangs(from host: NetworkHost) async -> Bool {
                    let failed = await #expect(throws: Command.Failed.self) { try await look(from: host) }
                    return failed?.status == Self.hung
                }
                #expect(try await look(from: here).contains(commit))

                try await hosts.cut(here, there)
                #expect(await hangs(from: here))
                #expect(try await look(from: beside).contains(commit))
                try await hosts.heal(here, there)
                #expect(try await look(from: here).contains(commit))

                try await hosts.cut(there, here, bothWays: false)
                #expect(await hangs(from: here))
                try await hosts.heal(there, here, bothWays: false)
                #expect(try await look(from: here).contains(commit))

                try await there.signal(SIGSTOP)
                #expect(await hangs(from: here))
                try await there.signal(SIGCONT)
                #expect(try await look(from: here).contains(commit))
                server.stop()
            }
            #expect(!(try await Command.run("ip", ["netns", "list"])).contains("slipway-\(getpid())-"))
        }

        @Test(
            .enabled(if: PostgreSQLServer.programs != nil && RegistryServer.isInstalled && Machine.has("curl", "psql")),
            .timeLimit(.minutes(6)))
        func serversAnswerOnTheirHostsAndAStandbyTakesOver() async throws {
            try await Hosts.run(["client", "registry", "first", "second"]) { hosts in
                let (client, first, second) = (hosts["client"], hosts["first"], hosts["second"])
                let registry = try await RegistryServer.start(on: hosts["registry"])
                #expect(try await client.run("curl", ["-fsS", "http://\(registry.host)/v2/"]) == "{}")
                registry.stop()

                let primary = try await PostgreSQLServer(on: first)
                let standby = try await PostgreSQLServer(on: second, following: primary.url())
                try await primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
                try await primary.sql("SELECT pg_reload_conf()")
                let either =
                    "postgresql://slipway@\(first.address):5432,\(second.address):5432/postgres"
                    + "?target_session_attrs=read-write&connect_timeout=2"
                func sql(_ text: String) async throws -> String {
                    try await client.run("timeout", ["5", "psql", either, "-XAtqc", text])
                }
                _ = try await sql("CREATE TABLE words AS SELECT 'kept' AS word")
                #expect(try await standby.sql("SELECT word FROM words") == "kept")

                try await hosts.cut(first, second)
                let failed = await #expect(throws: Command.Failed.self) {
                    try await sql("INSERT INTO words VALUES ('x')")
                }
                #expect(failed?.status == Self.hung)
                try await hosts.heal(first, second)
                _ = try await sql("INSERT INTO words VALUES ('kept too')")

                try await hosts.isolate(first)
                await primary.stop(atOnce: true)
                try await standby.promote()
                #expect(try await sql("SELECT word FROM words WHERE word LIKE 'kept%'") == "kept\nkept too")
            }
        }

        @Test(.timeLimit(.minutes(6)))
        func nothingIsLeftOfATestThatFails() async throws {
            struct Fault: Error {}
            await #expect(throws: Fault.self) {
                try await Hosts.run(["here"]) { hosts in
                    let sleep = Program()
                    let words = hosts["here"].launcher + ["/bin/sleep", "600"]
                    sleep.executableURL = URL(filePath: words[0])
                    sleep.arguments = Array(words.dropFirst())
                    try sleep.runUnmasked()
                    while try await hosts["here"].processes() != [sleep.processIdentifier] {}
                    defer { Task { await sleep.ended() } }
                    throw Fault()
                }
            }
            #expect(!(try await Command.run("ip", ["netns", "list"])).contains("slipway-\(getpid())-"))
        }
    }
}
