import Foundation
import Model
import Status

extension Trigger {
    /// Tells what was started and why not more, and with --wait each state until the end, also of builds that were there
    /// already.
    ///
    /// - Parameter command: what was called.
    static func conclude(
        _ answer: AnswerJSON, _ command: String, _ arguments: Arguments, _ client: Client
    ) async throws -> Exit {
        if arguments.has("json") && !arguments.has("wait") { try Status.show(json: answer) }
        for ignored in answer.ignored {
            Terminal.talk((ignored.rule.map { "rule \($0): " } ?? "") + Terminal.harmless(ignored.reason))
        }
        let known = arguments.has("wait") ? Set(answer.ignored.compactMap(\.build)).sorted() : []
        guard !answer.builds.isEmpty || !known.isEmpty else {
            Terminal.talk("slipway \(command): nothing was started")
            return .couldNot
        }
        guard arguments.has("wait") else {
            if !arguments.has("json") { for build in answer.builds { Terminal.print(Status.line(build)) } }
            return .good
        }
        var ends: [BuildJSON] = []
        var followed = answer.builds
        for id in known { followed.append(try await client.get("/api/v1/builds/\(id)")) }
        for build in followed {
            ends.append(try await Status.follow(build, client) { Terminal.talk(Status.line($0)) })
        }
        if arguments.has("json") { for build in ends { try Status.show(json: build) } }
        return ends.allSatisfy { $0.state == .finished } ? .good : .buildFailed
    }
}
