import Model
import Status

enum Cancel: Command {
    static let name = "cancel"
    static let usage = "cancel BUILD [--reason R] [--wait] [--json]"
    static let about = """
        Ends a build, whatever it is at: a pending one at once, a running one as soon as its processes have ended. With
        --wait it comes back when that is so; exit code 2 where the build had ended before.
        """
    static let options = Client.options.union(["reason"])
    static let flags: Set<String> = ["wait", "json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let id = try arguments.build()
        let client = try Client(arguments)
        let answer: CancelJSON = try await client.post("/api/v1/builds/\(id)/cancel", body: Why(arguments))
        var build = answer.build
        if answer.detail == nil && arguments.has("wait") {
            build = try await Status.follow(build, client) { if !$0.state.isEnd { Terminal.talk(Status.line($0)) } }
        }
        if arguments.has("json") { try Status.show(json: build) } else { Terminal.print(Status.line(build)) }
        if let detail = answer.detail { Terminal.talk("slipway cancel: \(detail)") }
        // Where it was faster than its end, it has another one.
        let isOver = answer.detail != nil || (build.state.isEnd && ![.cancelled, .superseded].contains(build.state))
        return isOver ? .couldNot : .good
    }
}

/// What an operator says to the service, beside what it is to do.
struct Why: Encodable {
    let reason: String?

    init(_ arguments: Arguments) { reason = arguments["reason"] }
}
