import Foundation

/// Holds what became of everything against what the harness knows to be true; what differs goes to the findings.
struct Verdict {
    let world: World
    let builds: [Ledger.Build]

    var files: RegistryFiles { world.images }
    private var findings: Findings { world.findings }
    private let byID: [Int: Ledger.Build]
    private let byCommit: [String: [Ledger.Build]]

    init(_ world: World, _ builds: [Ledger.Build]) {
        self.world = world
        self.builds = builds
        byID = Dictionary(builds.map { ($0.id, $0) }) { $1 }
        byCommit = Dictionary(grouping: builds) { "\($0.repository) \($0.ref) \($0.commit ?? "")" }
    }

    func of(_ repository: String, _ ref: String, _ commit: String) -> [Ledger.Build] {
        byCommit["\(repository) \(ref) \(commit)"] ?? []
    }

    func check() async throws {
        await checkAnswers(try await world.ledger.deliveries())
        await checkEnds()
        if world.options.engine == .standin { try checkFences() }
        try await checkTags()
    }

    /// Every answer of 202 has its delivery, its builds, and a build by each rule.
    func checkAnswers(_ deliveries: Set<String>) async {
        for accepted in await world.desk.accepted {
            let (change, what) = (accepted.change, "delivery \(accepted.delivery)")
            if !deliveries.contains(accepted.delivery) { findings.add("\(what) was answered 202 and is gone") }
            for id in accepted.builds where byID[id]?.commit != change.after {
                findings.add("\(what) was answered with build \(id), which is \(byID[id]?.shown ?? "gone")")
            }
            let rules = Set(of(change.repository, change.ref, change.after).map(\.rule))
            for (rule, _) in RuleBook.own(change.ref) where !rules.contains(rule) {
                findings.add(
                    "\(what) told \(change.ref) at \(change.after.prefix(12)), and rule \(rule) made no build of it")
            }
        }
        for id in await world.desk.asked where byID[id] == nil {
            findings.add("build \(id) was asked for, and is gone")
        }
    }

    /// Every build has ended, and for a good reason.
    func checkEnds() async {
        let cancelled = await world.desk.cancelled
        for build in builds {
            world.counts.add("builds \(build.state)")
            if build.attempt > 1 { world.counts.add("builds with several attempts") }
            let origin = world.origins.first { $0.name == build.repository }
            let isGood = await origin?.isGood(build.commit ?? "") ?? true
            switch build.state {
            case "finished":
                if !isGood { findings.add("\(build.shown) can't be built, and finished") }
            case "failed":
                if await isGone(build, from: origin) {
                    world.counts.add("builds of commits that are gone")
                } else if isGood || build.failure_kind != "build" {
                    findings.add("\(build.shown) should not have failed")
                }
            case "cancelled":
                if !cancelled.contains(build.id) { findings.add("nobody cancelled \(build.shown)") }
            case "superseded":
                let successor = build.successor.flatMap { byID[$0] }
                if !build.ref.hasPrefix("refs/heads/") || successor?.ref != build.ref || successor?.rule != build.rule
                    || successor?.repository != build.repository
                {
                    findings.add("\(build.shown) names \(successor?.shown ?? "nothing") as its successor")
                }
            default: findings.add("\(build.shown) has not ended")
            }
        }
    }

    /// Whether a worker that has not seen a commit before can't have it any more, as its branch was moved elsewhere.
    private func isGone(_ build: Ledger.Build, from origin: Origin?) async -> Bool {
        guard world.options.isOnHosts, build.failure_kind == "build", let origin, let commit = build.commit,
            let head = await origin.heads[build.ref]
        else { return false }
        return await !origin.isAncestor(commit, of: head)
    }

    /// No attempt begins or puts anything once a later one has begun.
    func checkFences() throws {
        let entries = try world.journal.entries()
        world.counts.add("runs of the engine", entries.count { $0.event == .begin })
        world.counts.add("pushes of the engine", entries.count { $0.event == .done })
        for (build, entries) in Dictionary(grouping: entries, by: \.build) where build > 0 {
            var latest = 0
            for entry in entries {
                let what = "\(entry.words) of attempt \(entry.attempt) of \(byID[build]?.shown ?? "build \(build)")"
                if entry.event == .overlap { findings.add("two attempts ran at once: \(what)") }
                if entry.event == .begin { latest = max(latest, entry.attempt) }
                if entry.attempt < latest, [.begin, .put].contains(entry.event) {
                    findings.add("past its fence, as attempt \(latest) had begun: \(entry.event) \(what)")
                }
            }
        }
    }
}
