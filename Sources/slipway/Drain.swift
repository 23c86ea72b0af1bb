import Model
import Platform
import Status

enum Drain: Command {
    static let name = "drain"
    static let usage = "drain [--timeout 1h] [--reason R]"
    static let about = """
        Pauses, and comes back when no build runs any more; exit code 2 where one still does after the timeout. Builds
        stay paused until "slipway resume".
        """
    static let options = Client.options.union(["timeout", "reason"])
    static let flags: Set<String> = []

    static func run(_ arguments: Arguments) async throws -> Exit {
        _ = try arguments.positionals(0...0, "")
        let timeout = try arguments.duration("timeout") ?? .seconds(3600)
        let client = try Client(arguments)
        let service: ServiceJSON = try await client.post("/api/v1/pause", body: Why(arguments))
        for sentence in service.waits { Terminal.talk(sentence) }
        if try await withDeadline(timeout, { try await wait(client) }) == nil {
            let left = try await running(client)
            guard left.isEmpty else {
                throw ClientError(
                    "still running after \(Int(timeout.seconds)) s: \(list(left)). Builds stay paused; \"slipway resume\" goes on"
                )
            }
        }
        Terminal.print("no build runs; builds stay paused, \"slipway resume\" goes on")
        return .good
    }

    /// Comes back when no build runs.
    private static func wait(_ client: Client) async throws {
        var told: [Build.ID] = []
        while true {
            let builds = try await running(client)
            guard let first = builds.first else { return }
            let ids = builds.map(\.id)
            if ids != told { Terminal.talk("waiting for \(list(builds))") }
            told = ids
            let _: BuildJSON = try await client.get(
                "/api/v1/builds/\(first.id)", [("wait", "60s"), ("seen", first.state.rawValue)], timeout: 90)
        }
    }

    private static func running(_ client: Client) async throws -> [BuildJSON] {
        let list: BuildListJSON = try await client.get(
            "/api/v1/builds", [("state", "building,pushing"), ("limit", "500")])
        return list.builds
    }

    private static func list(_ builds: [BuildJSON]) -> String {
        "build" + (builds.count == 1 ? " " : "s ")
            + builds.reversed().map { "\($0.id) (\($0.repository), \($0.state))" }.joined(separator: ", ")
    }
}
