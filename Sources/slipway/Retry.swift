import Foundation
import Model
import Status

enum Retry: Command {
    static let name = "retry"
    static let usage = "retry BUILD [--wait] [--json]"
    static let about = "Builds the push of a build that has ended again, by its rule as the settings have it now."
    static let options = Client.options
    static let flags: Set<String> = ["wait", "json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let id = try arguments.build()
        let client = try Client(arguments)
        let answer: AnswerJSON = try await client.post("/api/v1/builds/\(id)/retry")
        return try await Trigger.conclude(answer, name, arguments, client)
    }
}
