import Foundation
import Model
import Status

enum Workers: Command {
    static let name = "workers"
    static let usage = "workers [--json]"
    static let about = "Lists the workers: what each is for, what it runs, and when it was last heard of."
    static let options = Client.options
    static let flags: Set<String> = ["json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        _ = try arguments.positionals(0...0, "")
        let client = try Client(arguments)
        let list = try await list(client)
        if arguments.has("json") {
            try Status.show(json: list)
            return .good
        }
        try await client.service().waits.forEach(Terminal.talk)
        if list.workers.isEmpty { Terminal.talk("no workers yet") } else { table(list.workers).forEach(Terminal.print) }
        return .good
    }

    static func list(_ client: Client) async throws -> WorkerListJSON { try await client.get("/api/v1/workers") }

    /// The path of what is asked of one worker, whose name may hold a slash.
    static func path(_ worker: String, _ action: String) throws -> String {
        let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        guard !worker.isEmpty, let name = worker.addingPercentEncoding(withAllowedCharacters: plain) else {
            throw UsageError("\"\(worker)\" is no worker's name")
        }
        return "/api/v1/workers/\(name)/\(action)"
    }

    private static func table(_ workers: [WorkerJSON]) -> [String] {
        var table = Table()
        table.right = [2, 4]
        table.add(["NAME", "STATE", "SLOTS", "BUILDS", "SEEN", "LABELS"].map { Table.Cell($0, .dim) })
        for worker in workers {
            table.add([
                .init(worker.name, .bold), .init(worker.state.rawValue, colour(worker.state)), .init("\(worker.slots)"),
                .init(builds(worker)), .init(Status.age(worker.seen_at)),
                .init(worker.labels.joined(separator: " ")),
            ])
        }
        return table.lines(width: Terminal.width)
    }

    /// `12 14`, `12 and 1 more`, `-`.
    private static func builds(_ worker: WorkerJSON) -> String {
        let hidden = worker.running - worker.builds.count
        let shown = worker.builds.map { "\($0)" }.joined(separator: " ")
        if hidden == 0 { return shown.isEmpty ? "-" : shown }
        return shown.isEmpty ? "\(hidden)" : "\(shown) and \(hidden) more"
    }

    private static func colour(_ state: WorkerJSON.State) -> Terminal.Colour {
        switch state {
        case .there: .green
        case .draining, .drained: .yellow
        case .lost: .red
        }
    }
}
