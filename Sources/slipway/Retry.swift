import Foundation
import Model
import Status

enum Retry: Command {
    static let name = "retry"
    static let usage = "retry BUILD [--no-cache] [--wait] [--json]"
    static let about = """
        Builds the push of a build that has ended again, by its rule as the settings have it now; with --no-cache neither
        another build's image nor the engine's cache is taken.
        """
    static let options = Client.options
    static let flags: Set<String> = ["no-cache", "wait", "json"]

    private struct Body: Encodable {
        let no_cache: Bool?
    }

    static func run(_ arguments: Arguments) async throws -> Exit {
        let id = try arguments.build()
        let client = try Client(arguments)
        let body = Body(no_cache: arguments.has("no-cache") ? true : nil)
        let answer: AnswerJSON = try await client.post("/api/v1/builds/\(id)/retry", body: body)
        return try await Trigger.conclude(answer, name, arguments, client)
    }
}
