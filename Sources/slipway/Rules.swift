import Checkout
import Foundation
import Intake
import Model
import Platform
import Settings

enum Rules: Command {
    static let name = "rules"
    static let usage = "rules REPO --branch B | --tag T | --all [--offline] [--json]"
    static let about = """
        Says what each rule would make of a branch or tag, which need not exist, and why; with --all of every branch and
        tag that the repository has. Reads the settings, not the service's copy of them. Asks the repository where the
        branch or tag is, and the service whether that is built already and, of one branch or tag, whether a former image
        would be taken; with --offline neither.
        """
    static let options = Client.options.union(["branch", "tag"])
    static let flags: Set<String> = ["all", "offline", "json"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        let (name, wanted) = try subject(arguments)
        let settings: Settings
        do {
            settings = try Check.settings(arguments)
        } catch is SettingsErrors {
            throw UsageError("the settings have errors")
        }
        guard let repository = settings[name] else {
            let hint = Nearest.word(to: name.text, in: settings.repositories.map(\.name.text))
            throw UsageError(
                "there is no repository \(name) in the settings" + (hint.map { "; nearest is \($0)" } ?? ""))
        }
        let remote = try await remote(of: repository, arguments)
        let refs = wanted.map { [$0] } ?? (remote?.refs.keys.sorted(by: precedes) ?? [])
        var known = try KnownBuilds(arguments, repository: repository)
        var reports: [RefReport] = []
        for ref in refs {
            let push = Push(
                ref: ref, commit: remote?.refs[ref],
                // Where it can't be known, the branch asked for stands in for it.
                defaultBranch: remote.map { $0.defaultBranch } ?? ref.branch)
            var report = RefReport(push, repository, assumesDefault: remote == nil)
            await known.add(to: &report)
            if wanted != nil { await known.addForecasts(to: &report) }
            reports.append(report)
        }
        if arguments.has("json") {
            try Status.show(json: reports)
        } else if arguments.has("all") {
            RefReport.table(reports).forEach(Terminal.print)
        } else {
            reports.flatMap { $0.lines(repository, wasAsked: remote != nil) }.forEach(Terminal.print)
        }
        return .good
    }

    /// - Returns: the repository and the ref, nil where all are asked for.
    private static func subject(_ arguments: Arguments) throws -> (RepositoryName, RefName?) {
        do {
            let name = try RepositoryName(arguments.positionals(1...1, "the repository")[0])
            switch (arguments["branch"], arguments["tag"], arguments.has("all")) {
            case (let branch?, nil, false): return (name, try RefName(.branch, branch))
            case (nil, let tag?, false): return (name, try RefName(.tag, tag))
            case (nil, nil, true):
                if arguments.has("offline") {
                    throw UsageError("--all asks the repository, so --offline can't go with it")
                }
                return (name, nil)
            default: throw UsageError("give one of --branch, --tag and --all")
            }
        } catch let error as InvalidText {
            throw UsageError("\(error)")
        }
    }

    /// - Returns: nil where it is not to be asked, or does not answer though not all is asked for.
    private static func remote(of repository: Repository, _ arguments: Arguments) async throws -> RemoteRefs? {
        if arguments.has("offline") { return nil }
        do {
            let answer = try await withDeadline(.seconds(arguments.has("all") ? 60 : 10)) {
                try await listRemote(source: repository.source, credentials: repository.credentials)
            }
            if let answer { return answer }
            throw ClientError("\(repository.source) did not answer in time")
        } catch  where !arguments.has("all") {
            Terminal.talk("\(error); so what it has is not known (--offline does not ask)")
            return nil
        }
    }

    /// Branches before tags, each by name, numbers in it by their value.
    private static func precedes(_ a: RefName, _ b: RefName) -> Bool {
        if a.kind != b.kind { return a.kind == .branch }
        return a.name.compare(b.name, options: .numeric) == .orderedAscending
    }
}
