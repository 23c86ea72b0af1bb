import Foundation
import Model
import Status

enum Delivery: Command {
    static let name = "delivery"
    static let usage = "delivery ID [--redeliver [--force] [--wait]] [--json]"
    static let about =
        """
        Shows what was received and what each rule made of it; with --redeliver it is taken again, by the settings of now.
        What is built already, or was skipped, is built all the same with --force.
        """
    static let options = Client.options
    static let flags: Set<String> = ["redeliver", "force", "wait", "json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let word = try arguments.positionals(1...1, "the id of the delivery")[0].lowercased()
        guard (4...32).contains(word.count), word.allSatisfy(\.isHexDigit) else {
            throw UsageError(
                "\"\(word)\" is not a delivery's id, nor 4 digits or more of its end; \"slipway deliveries\" shows them"
            )
        }
        for flag in ["force", "wait"] where arguments.has(flag) && !arguments.has("redeliver") {
            throw UsageError("--\(flag) is for --redeliver")
        }
        let client = try Client(arguments)
        let id = word.count == 32 ? word : try await whole(word, client)
        guard arguments.has("redeliver") else {
            let delivery: WholeDeliveryJSON = try await client.get("/api/v1/deliveries/\(id)")
            if arguments.has("json") { try Status.show(json: delivery) } else { show(delivery) }
            return .good
        }
        let force = arguments.has("force") ? "?force=1" : ""
        let answer: AnswerJSON = try await client.post("/api/v1/deliveries/\(id)/redeliver\(force)")
        return try await Trigger.conclude(answer, name, arguments, client)
    }

    /// Pages of the list that are looked through for an id.
    private static let mostPages = 20

    /// The id that ends or begins with these digits, among the latest deliveries.
    private static func whole(_ digits: String, _ client: Client) async throws -> String {
        var found: [String] = []
        var before: [(String, String)] = []
        for _ in 1...mostPages {
            let list: DeliveryListJSON = try await client.get("/api/v1/deliveries", [("limit", "500")] + before)
            found += list.deliveries.map(\.id).filter { $0.hasSuffix(digits) || $0.hasPrefix(digits) }
            guard let next = list.next else { break }
            before = [("before", next)]
        }
        guard let id = found.first else {
            throw ClientError("none of the latest deliveries has an id that ends or begins with \(digits)")
        }
        guard found.count == 1 else {
            throw ClientError("several deliveries have such an id: \(found.joined(separator: ", "))")
        }
        return id
    }

    // MARK: In words

    private static func show(_ whole: WholeDeliveryJSON) {
        let delivery = whole.delivery
        var table = Table()
        func add(_ name: String, _ text: String?) {
            if let text, !text.isEmpty { table.add([.init(name, .dim), .init(text)]) }
        }
        add("delivery", delivery.id)
        add("received", "\(delivery.received_at), \(Status.age(delivery.received_at)) ago")
        add("repository", delivery.repository?.text)
        add("from", Deliveries.from(delivery))
        add("sender's id", delivery.sender_id)
        add("address", delivery.remote_address)
        add("agent", delivery.user_agent)
        add("repeats", delivery.redelivery_of)
        table.lines(width: nil).forEach(Terminal.print)
        for outcome in delivery.outcomes { Terminal.print(line(outcome)) }
        if !whole.headers.isEmpty { Terminal.print("") }
        for header in whole.headers { Terminal.print(Terminal.harmless("\(header.name): \(header.value)")) }
        show(body: whole)
    }

    /// `rule 1: build 7`, or why there is none.
    static func line(_ outcome: DeliveryJSON.OutcomeJSON) -> String {
        let rule = outcome.rule.map { "rule \($0): " } ?? ""
        return rule + (outcome.reason.map(Terminal.harmless) ?? outcome.build.map { "build \($0)" } ?? "nothing")
    }

    private static func show(body whole: WholeDeliveryJSON) {
        guard whole.body_length > 0 else { return }
        Terminal.print("")
        switch whole.body_encoding {
        case .base64: Terminal.talk("the body is no text; --json has it as base64")
        case .utf8:
            for line in whole.body.split(separator: "\n", omittingEmptySubsequences: false) {
                Terminal.print(Terminal.harmless(String(line)))
            }
            let kept = whole.body.utf8.count
            if kept < whole.body_length {
                Terminal.talk("only the first \(kept) of \(whole.body_length) bytes were kept")
            }
        }
    }
}
