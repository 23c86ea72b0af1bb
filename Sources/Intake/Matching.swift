import Foundation
import Model
import Queue
import Settings

/// What the rules of a repository make of a push.
struct Matching {
    var builds: [NewBuild] = []
    var ignored: [Ignored] = []

    /// - Parameters:
    ///   - asked: whether somebody asked for the build, so that rules without `autobuild` build too.
    ///   - forced: whether the words that skip a push are not heeded.
    ///   - only: the rules to look at; nil is all.
    mutating func add(
        _ push: Push, of repository: Repository, asked: Bool, forced: Bool = false, only: Set<Int>? = nil,
        acceptedAt: Date
    ) {
        for rule in repository.rules where only?.contains(rule.number) ?? true {
            switch rule.match(push.ref, defaultBranch: push.defaultBranch) {
            case .no(let reason):
                ignored.append(Ignored(rule: rule.number, reason: reason))
            case .matched(let captures):
                guard asked || rule.autobuild else {
                    ignored.append(Ignored(rule: rule.number, reason: "autobuild is off; a trigger builds it"))
                    continue
                }
                if !asked, !forced, let words = push.message.flatMap(SkipWords.found) {
                    let reason = "the commit's message says \(words); a trigger builds it"
                    ignored.append(Ignored(rule: rule.number, reason: reason))
                    continue
                }
                do {
                    let names = try Self.names(rule, push, captures, acceptedAt)
                    builds.append(
                        NewBuild(
                            repository: repository.name, push: push, rule: rule, captures: captures,
                            image: repository.image, names: names))
                } catch {
                    ignored.append(Ignored(rule: rule.number, reason: "\(error)"))
                }
            }
        }
    }

    /// The image's names; nil where the commit isn't known yet. Names that can't be made are found out even then.
    private static func names(
        _ rule: Rule, _ push: Push, _ captures: [String], _ acceptedAt: Date
    ) throws(InvalidText) -> Rule.Names? {
        let known = if let commit = push.commit { commit } else { try CommitID(String(repeating: "0", count: 40)) }
        let names = try rule.names(for: push.ref, captures: captures, commit: known, acceptedAt: acceptedAt)
        return push.commit == nil ? nil : names
    }
}
