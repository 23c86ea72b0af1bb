import Model
import Platform
import Status

enum Drain: Command {
    static let name = "drain"
    static let usage = "drain [WORKER] [--timeout 1h] [--reason R]"
    static let about = """
        Pauses, and comes back when no build runs any more; exit code 2 where one still does after the timeout. Builds
        stay paused until "slipway resume". With a worker's name, only that worker takes no more builds, also after a
        restart of it, until "slipway resume WORKER".
        """
    static let options = Client.options.union(["timeout", "reason"])
    static let flags: Set<String> = []

    /// What is drained.
    private enum Subject {
        case all
        case worker(String)

        var place: String { if case .worker = self { " there" } else { "" } }

        /// What it stays, and what ends that.
        var afterwards: String {
            switch self {
            case .all: "builds stay paused, \"slipway resume\" goes on"
            case .worker(let name): "worker \(name) takes no builds until \"slipway resume \(name)\""
            }
        }
    }

    static func run(_ arguments: Arguments) async throws -> Exit {
        let subject = try arguments.positionals(0...1, "").first.map(Subject.worker) ?? .all
        if case .worker = subject, arguments["reason"] != nil { throw UsageError("--reason is for a pause of all") }
        let timeout = try arguments.duration("timeout") ?? .seconds(3600)
        let client = try Client(arguments)
        switch subject {
        case .all:
            let service: ServiceJSON = try await client.post("/api/v1/pause", body: Why(arguments))
            for sentence in service.waits { Terminal.talk(sentence) }
        case .worker(let name):
            let _: WorkerJSON = try await client.post(Workers.path(name, "drain"))
        }
        if try await withDeadline(timeout, { try await wait(for: subject, client) }) == nil {
            let left = try await running(subject, client)
            guard left.isEmpty else {
                throw ClientError(
                    "still running after \(Int(timeout.seconds)) s: \(list(left)); \(subject.afterwards)")
            }
        }
        Terminal.print("no build runs\(subject.place); \(subject.afterwards)")
        return .good
    }

    /// Comes back when no build runs.
    private static func wait(for subject: Subject, _ client: Client) async throws {
        var told: [Build.ID] = []
        while true {
            let builds = try await running(subject, client)
            guard let first = builds.first else { return }
            let ids = builds.map(\.id)
            if ids != told { Terminal.talk("waiting for \(list(builds))") }
            told = ids
            let _: BuildJSON = try await client.get(
                "/api/v1/builds/\(first.id)", [("wait", "60s"), ("seen", first.state.rawValue)], timeout: 90)
        }
    }

    private static func running(_ subject: Subject, _ client: Client) async throws -> [BuildJSON] {
        let list: BuildListJSON = try await client.get(
            "/api/v1/builds", [("state", "building,pushing"), ("limit", "500")])
        guard case .worker(let name) = subject else { return list.builds }
        let its = Set(try await Workers.list(client).workers.first { $0.name == name }?.builds ?? [])
        return list.builds.filter { its.contains($0.id) }
    }

    private static func list(_ builds: [BuildJSON]) -> String {
        "build" + (builds.count == 1 ? " " : "s ")
            + builds.reversed().map { "\($0.id) (\($0.repository), \($0.state))" }.joined(separator: ", ")
    }
}
