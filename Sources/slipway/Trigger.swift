import Foundation
import Model
import Status

enum Trigger: Command {
    static let name = "trigger"
    static let usage = "trigger REPO [--branch B | --tag T] [--commit C] [--wait] [--json]"
    static let about = "Starts builds of a repository: of a branch, tag or commit, else of every rule that names one."
    static let options = Client.options.union(["branch", "tag", "commit"])
    static let flags: Set<String> = ["wait", "json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let name: RepositoryName
        do {
            name = try RepositoryName(arguments.positionals(1...1, "the repository")[0])
        } catch let error as InvalidText {
            throw UsageError("\(error)")
        }
        var body: [String: String] = [:]
        for key in ["branch", "tag", "commit"] { body[key] = arguments[key] }
        if body["branch"] != nil && body["tag"] != nil { throw UsageError("--branch and --tag exclude each other") }
        let client = try Client(arguments)
        let answer: AnswerJSON = try await client.post("/api/v1/repositories/\(name)/builds", body: body)
        return try await conclude(answer, Self.name, arguments, client)
    }
}
