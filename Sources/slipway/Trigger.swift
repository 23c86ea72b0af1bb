import Foundation
import Model
import Status

enum Trigger: Command {
    static let name = "trigger"
    static let usage = """
        trigger REPO [--branch B | --tag T] [--commit C] [--force] [--no-cache] [--build-arg NAME=VALUE]… [--wait]
        [--json]
        """
    static let about = """
        Starts builds of a repository: of a branch, tag or commit, else of every rule that names one. A commit that is built
        already, or a branch whose build is pending, is built again only with --force; with --wait either is followed
        like a new one, until its end. With --no-cache it is always built, and neither another build's image nor the engine's
        cache is taken.
        """
    static let options = Client.options.union(["branch", "tag", "commit", "build-arg"])
    static let flags: Set<String> = ["force", "no-cache", "wait", "json"]

    /// As the service reads a trigger.
    private struct Body: Encodable {
        let branch, tag, commit: String?
        let force, no_cache: Bool?
        let build_args: [String: String]?

        init(_ arguments: Arguments) throws(UsageError) {
            (branch, tag, commit) = (arguments["branch"], arguments["tag"], arguments["commit"])
            if branch != nil && tag != nil { throw UsageError("--branch and --tag exclude each other") }
            force = arguments.has("force") ? true : nil
            no_cache = arguments.has("no-cache") ? true : nil
            var values: [String: String] = [:]
            for word in arguments.all("build-arg") {
                guard let sign = word.firstIndex(of: "="), sign > word.startIndex else {
                    throw UsageError("--build-arg \"\(word)\" is not NAME=VALUE")
                }
                let name = String(word[..<sign])
                guard values.updateValue(String(word[word.index(after: sign)...]), forKey: name) == nil else {
                    throw UsageError("--build-arg \(name) is given twice")
                }
            }
            build_args = values.isEmpty ? nil : values
        }
    }

    static func run(_ arguments: Arguments) async throws -> Exit {
        let name: RepositoryName
        do {
            name = try RepositoryName(arguments.positionals(1...1, "the repository")[0])
        } catch let error as InvalidText {
            throw UsageError("\(error)")
        }
        let body = try Body(arguments)
        let client = try Client(arguments)
        let answer: AnswerJSON = try await client.post("/api/v1/repositories/\(name)/builds", body: body)
        return try await conclude(answer, Self.name, arguments, client)
    }
}
