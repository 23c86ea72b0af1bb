import Foundation
import Model
import Platform
import Status

enum Status: Command {
    static let name = "status"
    static let usage = "status [REPO|BUILD] [--watch] [--state S] [-n N] [--json]"
    static let about = """
        Shows the newest builds, or one build, and why builds wait; with --watch it keeps showing. Of a repository also
        the tags that somebody else moved.
        """
    static let options = Client.options.union(["state", "limit"])
    static let flags: Set<String> = ["watch", "json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let client = try Client(arguments)
        let subject = try arguments.positionals(0...1, "").first
        if let subject, let id = Build.ID(subject) { return try await one(id, client, arguments) }
        let list: NewestBuilds
        do {
            list = NewestBuilds(
                client: client, repository: try subject.map { try RepositoryName($0) }, state: arguments["state"],
                limit: arguments["limit"] ?? "20")
        } catch {
            throw UsageError("\(error)")
        }
        guard arguments.has("watch") else {
            if arguments.has("json") { try show(json: await list.list()) } else { try await list.show() }
            return .good
        }
        try await list.watch(json: arguments.has("json"))
        return .good
    }

    static func show(json: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // JSON may hold these as they are; a terminal may take them for commands.
        let text = String(decoding: try encoder.encode(json), as: UTF8.self).unicodeScalars.map { scalar in
            (0x7f..<0xa0).contains(scalar.value)
                ? "\\u00" + String(scalar.value, radix: 16) : String(scalar)
        }
        Terminal.print(text.joined())
    }
}
