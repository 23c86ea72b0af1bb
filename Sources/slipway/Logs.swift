import Foundation
import Model
import Status

enum Logs: Command {
    static let name = "logs"
    static let usage = "logs BUILD [--follow]"
    static let about = "Prints a build's log; with --follow until the build's end."
    static let options = Client.options
    static let flags: Set<String> = ["follow"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let word = try arguments.positionals(1...1, "the number of the build")[0]
        guard let id = Build.ID(word) else { throw UsageError("\"\(word)\" is not the number of a build") }
        let client = try Client(arguments)
        try await client.stream(
            "/api/v1/builds/\(id)/log", arguments.has("follow") ? [("follow", "1")] : [], Terminal.write)
        guard arguments.has("follow") else { return .good }
        let build: BuildJSON = try await client.get("/api/v1/builds/\(id)")
        Terminal.talk(Status.line(build))
        return build.state == .failed ? .buildFailed : .good
    }
}
