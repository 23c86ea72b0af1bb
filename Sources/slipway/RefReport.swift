import Foundation
import Intake
import Model
import Settings
import Status

/// What the rules would make of one branch or tag.
struct RefReport: Encodable {
    struct Outcome: Encodable {
        var rule: Int
        var matched: Bool
        /// Why it would build nothing.
        var reason: String?
        var tags: [String]
        var commit_tag: String?
        var dockerfile: String
        var context: String
        /// The labels that a worker must have.
        var runs_on: [String]
        /// Only these files' changes build.
        var paths: [String]
        var paths_ignore: [String]
        /// The build that is there already.
        var build: Build.ID?
        var build_state: Build.State?
        /// What the image would be made of, where the service was asked.
        var inputs: BuildJSON.InputsJSON?
        /// The build whose image would be taken.
        var reusable: Build.ID?
        /// Why it would be, or not.
        var reuse: String?
    }

    let ref: RefName
    let commit: CommitID?
    /// Whether the branch was taken for the default branch, which wasn't asked for.
    let assumesDefault: Bool
    var rules: [Outcome]

    private enum CodingKeys: CodingKey { case ref, commit, rules }

    init(_ push: Push, _ repository: Repository, assumesDefault: Bool) {
        ref = push.ref
        commit = push.commit
        self.assumesDefault = assumesDefault && repository.rules.contains { $0.source == .defaultBranch }
        rules = DryRun.of(push, in: repository, acceptedAt: Date()).map { run in
            Outcome(
                rule: run.rule.number, matched: run.reason == nil, reason: run.reason,
                tags: run.reason == nil ? Self.tags(run, push) : [],
                commit_tag: run.reason == nil ? run.names?.commitTag.text ?? run.rule.commitTag.text : nil,
                dockerfile: run.rule.dockerfile ?? "Dockerfile",
                context: run.rule.contextShown, runs_on: run.rule.runsOn, paths: run.rule.paths.map(\.text),
                paths_ignore: run.rule.pathsIgnored.map(\.text))
        }
    }

    /// As they come out; with words for the commit's digits where the commit isn't known.
    private static func tags(_ run: DryRun, _ push: Push) -> [String] {
        if let names = run.names { return names.tags.map(\.text) }
        let captures =
            if case .matched(let found) = run.rule.match(push.ref, defaultBranch: push.defaultBranch) {
                found
            } else {
                [String]()
            }
        return run.rule.tagsWithoutCommit(for: push.ref, captures: captures, acceptedAt: Date())
    }

    // MARK: For people

    /// - Parameter wasAsked: whether the source told where its branches and tags are.
    func lines(_ repository: Repository, wasAsked: Bool) -> [String] {
        var lines: [String] = []
        if wasAsked {
            let place = commit.map { "is at \($0)" } ?? "is not in \(repository.source) now"
            lines.append("\(ref.kind.rawValue) \(ref.name) \(place)")
        }
        for outcome in rules {
            guard outcome.matched else {
                lines.append("rule \(outcome.rule): no: \(outcome.reason ?? "")")
                continue
            }
            lines.append("rule \(outcome.rule): yes" + (assumesDefault ? ", if it is the default branch" : ""))
            lines.append("    tags        " + outcome.tags.map { "\(repository.image):\($0)" }.joined(separator: " "))
            lines.append("    commit tag  \(outcome.commit_tag ?? "")")
            lines.append("    dockerfile  \(outcome.dockerfile)")
            lines.append("    context     \(outcome.context)")
            if !outcome.runs_on.isEmpty { lines.append("    runs on     \(outcome.runs_on.joined(separator: ", "))") }
            if !outcome.paths.isEmpty {
                lines.append("    only if a push changes  \(outcome.paths.joined(separator: ", "))")
            }
            if !outcome.paths_ignore.isEmpty {
                lines.append("    not if a push changes only  \(outcome.paths_ignore.joined(separator: ", "))")
            }
            if let reuse = outcome.reuse {
                lines.append("    reused      " + (outcome.reusable.map { "build \($0)'s image" } ?? "no: \(reuse)"))
            }
            for base in outcome.inputs?.bases ?? [] { lines.append("    base        \(base.image)@\(base.digest)") }
            if let build = outcome.build, let state = outcome.build_state {
                lines.append(
                    "    known       build \(build) is of this commit (\(state.rawValue)); it is not built again")
            }
        }
        return lines.map(Terminal.harmless)
    }

    static func table(_ reports: [RefReport]) -> [String] {
        var table = Table()
        table.add(["REF", "COMMIT", "RULE", "TAGS", "BUILD"].map { .init($0, .dim) })
        for report in reports {
            let head: [Table.Cell] = [
                .init((report.ref.tag == nil ? "" : "tag ") + report.ref.name), .init(report.commit?.prefix(12) ?? "-"),
            ]
            let matched = report.rules.filter(\.matched)
            if matched.isEmpty { table.add(head + [.init("-"), .init("no rule", .dim), .init("")]) }
            for outcome in matched {
                let build = outcome.build.map { "\($0) \(outcome.build_state?.rawValue ?? "")" } ?? "would be built"
                table.add(
                    head + [
                        .init("\(outcome.rule)"), .init(outcome.tags.joined(separator: " "), .green), .init(build),
                    ])
            }
        }
        return table.lines(width: Terminal.width)
    }
}
