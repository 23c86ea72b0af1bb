import Foundation
import Model
import Settings

enum Rules: Command {
    static let name = "rules"
    static let usage = "rules REPO --branch B | --tag T"
    static let about = "Says what each rule would make of a branch or tag, which need not exist, and why."
    static let options: Set<String> = ["config", "branch", "tag"]
    static let flags: Set<String> = []

    static func run(_ arguments: Arguments) async throws -> Exit {
        let ref: RefName
        let name: RepositoryName
        do {
            name = try RepositoryName(arguments.positionals(1...1, "the repository")[0])
            switch (arguments["branch"], arguments["tag"]) {
            case (let branch?, nil): ref = try RefName(.branch, branch)
            case (nil, let tag?): ref = try RefName(.tag, tag)
            default: throw UsageError("give one of --branch and --tag")
            }
        } catch let error as InvalidText {
            throw UsageError("\(error)")
        }
        let settings = try Check.settings(arguments)
        guard let repository = settings[name] else {
            throw UsageError("there is no repository \(name) in the settings")
        }
        // The branch asked for stands in for a default branch that only the source knows.
        for rule in repository.rules {
            switch rule.match(ref, defaultBranch: ref.branch) {
            case .no(let reason): Terminal.print("rule \(rule.number): no: \(reason)")
            case .matched(let captures):
                Terminal.print("rule \(rule.number): \(outcome(rule, ref, captures, repository))")
            }
        }
        return .good
    }

    private static func outcome(_ rule: Rule, _ ref: RefName, _ captures: [String], _ repository: Repository) -> String
    {
        do {
            let names = try rule.names(
                for: ref, captures: captures, commit: CommitID(String(repeating: "0", count: 40)), acceptedAt: Date())
            var lines = ["yes" + (rule.source == .defaultBranch ? ", if \"\(ref.name)\" is the default branch" : "")]
            if !rule.autobuild { lines[0] += ", but autobuild is off: only triggers build it" }
            lines.append("tags        \(names.tags.map { "\(repository.image):\($0)" }.joined(separator: " "))")
            lines.append("commit tag  \(rule.commitTag)")
            lines.append("dockerfile  \(rule.dockerfile ?? "Dockerfile")")
            lines.append("context     \(rule.context ?? "the Dockerfile's directory")")
            return lines.joined(separator: "\n    ")
        } catch {
            return "no: \(error)"
        }
    }
}
