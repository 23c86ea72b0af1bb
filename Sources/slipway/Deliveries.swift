import Foundation
import Model
import Status

enum Deliveries: Command {
    static let name = "deliveries"
    static let usage = "deliveries [REPO] [--kind webhook,trigger,api,poll,retry] [-n N] [--json]"
    static let about = "Shows what was received lately: who told it, and what came of it."
    static let options = Client.options.union(["kind", "limit"])
    static let flags: Set<String> = ["json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        var query: [(String, String)] = [("limit", arguments["limit"] ?? "20")]
        if let subject = try arguments.positionals(0...1, "").first {
            do { query.append(("repository", try RepositoryName(subject).text)) } catch { throw UsageError("\(error)") }
        }
        if let kind = arguments["kind"] { query.append(("kind", kind)) }
        let list: DeliveryListJSON = try await Client(arguments).get("/api/v1/deliveries", query)
        if arguments.has("json") {
            try Status.show(json: list)
            return .good
        }
        if list.deliveries.isEmpty { Terminal.talk("nothing was received yet") }
        lines(list.deliveries).forEach(Terminal.print)
        let turnedAway = list.turned_away.filter { $0.value > 0 }
        if !turnedAway.isEmpty {
            let counts = turnedAway.sorted { $0.key < $1.key }.map { "\(Terminal.harmless($0)) \($1)" }
            Terminal.talk("turned away since the service started: \(counts.joined(separator: ", "))")
        }
        return .good
    }

    private static func lines(_ deliveries: [DeliveryJSON]) -> [String] {
        guard !deliveries.isEmpty else { return [] }
        var table = Table()
        table.right = [1]
        table.add(["ID", "AGE", "REPOSITORY", "FROM", "ADDRESS", "OUTCOME"].map { Table.Cell($0, .dim) })
        for delivery in deliveries.reversed() {
            let made = made(delivery)
            table.add([
                .init(String(delivery.id.suffix(digits)), .bold), .init(Status.age(delivery.received_at)),
                .init(delivery.repository?.text ?? "-"), .init(from(delivery)), .init(delivery.remote_address),
                made.isEmpty
                    ? .init(delivery.outcomes.first.map(Delivery.line) ?? "nothing", .dim)
                    : .init(made.map { "build \($0)" }.joined(separator: ", ")),
            ])
        }
        return table.lines(width: Terminal.width)
    }

    /// The builds that came of it.
    private static func made(_ delivery: DeliveryJSON) -> [Build.ID] {
        delivery.outcomes.filter { $0.reason == nil }.compactMap(\.build)
    }

    /// Of an id's end, which is random; its beginning may be the time.
    private static let digits = 8

    /// `github push`, `trigger nightly`, `retry ops`.
    static func from(_ delivery: DeliveryJSON) -> String {
        var words = [delivery.host ?? delivery.kind.rawValue]
        if delivery.kind == .webhook {
            if let event = delivery.event { words.append(event) }
            if delivery.redelivery_of != nil { words.append("again") }
        }
        if let token = delivery.token { words.append(delivery.kind == .webhook ? "by \(token)" : token) }
        return words.joined(separator: " ")
    }
}
