import Foundation
import Model
import Platform
import Status

enum Logs: Command {
    static let name = "logs"
    static let usage = "logs BUILD [--follow] [--raw]"
    static let about = """
        Prints a build's log; with --follow until the build's end. What could steer a terminal, but for colours, is taken
        out; --raw prints the bytes as the build wrote them.
        """
    static let options = Client.options
    static let flags: Set<String> = ["follow", "raw"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let id = try arguments.build()
        let client = try Client(arguments)
        try await print(id, client, arguments)
        guard arguments.has("follow") else { return .good }
        let build: BuildJSON = try await client.get("/api/v1/builds/\(id)")
        Terminal.talk(Status.line(build))
        return build.state == .failed ? .buildFailed : .good
    }

    private static func print(_ id: Build.ID, _ client: Client, _ arguments: Arguments) async throws {
        var filter = ControlFilter()
        let isRaw = arguments.has("raw")
        // Also where the line breaks: a colour that was left on would stay.
        defer { if !isRaw { Terminal.write(filter.end()) } }
        try await client.stream("/api/v1/builds/\(id)/log", arguments.has("follow") ? [("follow", "1")] : []) {
            Terminal.write(isRaw ? $0 : filter.take($0))
        }
    }
}
