import Foundation
import TestSupport

/// The lane of pushes: what is pushed, told, triggered, retried and cancelled, by the seed.
struct Pushes {
    private let world: World
    private var random: Random
    private var told: [Desk.Accepted] = []

    init(_ world: World) {
        self.world = world
        random = Random(seed: world.options.seed)
    }

    /// Goes on until there were so many pushes and `goesOn` says no, or the time is over.
    mutating func run(
        _ count: Int, until end: ContinuousClock.Instant?, while goesOn: () -> Bool = { false }
    ) async throws {
        var pushed = 0
        while end.map({ ContinuousClock.now < $0 }) ?? (pushed < count || goesOn()) {
            pushed += try await step() ? 1 : 0
            // The schedule's own pause.
            try await Task.sleep(for: .milliseconds(random.below(world.options.pause)))
        }
    }

    /// - Returns: whether it was a push.
    private mutating func step() async throws -> Bool {
        let origin = random.pick(world.origins)
        switch random.below(100) {
        case ..<58: try await push(origin)
        case ..<66: try await force(origin)
        case ..<82: try await tag(origin)
        case ..<86: try await moveTag(origin)
        case ..<90:
            guard let branch = await origin.branches.first else { return false }
            try await world.desk.trigger(origin.name, branch: branch.replacing("refs/heads/", with: ""))
            return false
        case ..<95:
            guard let build = await someBuild() else { return false }
            try await world.desk.cancel(build.id)
            return false
        default:
            guard let build = await someBuild(), await isOnLine(build.of) else { return false }
            try await world.desk.retry(build.id)
            return false
        }
        world.counts.add("pushes")
        return true
    }

    /// A commit on top of a branch.
    private mutating func push(_ origin: Origin) async throws {
        let ref = branch()
        let parent = await origin.heads[ref]
        await tell(try await origin.push(ref, onto: parent, isGood: !random.oneIn(30)))
    }

    /// A commit beside the last ones of a branch. What went before is told by then: what was told later would count
    /// as the newer.
    private mutating func force(_ origin: Origin) async throws {
        let ref = branch()
        try await world.desk.settle(origin.name, ref)
        let head = await origin.heads[ref]
        var parent: String?
        if let head { parent = await origin.ancestor(of: head, steps: 1 + random.below(3)) }
        await tell(try await origin.push(ref, onto: parent, isGood: !random.oneIn(30)))
        world.counts.add("pushes that were forced")
    }

    /// A version, of the head of main or of a commit of its own; often not the greatest.
    private mutating func tag(_ origin: Origin) async throws {
        let taken = Set(await origin.tags)
        let series = random.below(4)
        guard
            let ref = (0..<400).lazy.map({ "refs/tags/v1.\(series).\($0)" }).filter({ !taken.contains($0) })
                .dropFirst(random.below(3)).first
        else { return }
        if let main = await origin.heads["refs/heads/main"], random.oneIn(2) {
            await tell(try await origin.move(ref, to: main))
        } else {
            await tell(try await origin.push(ref, onto: nil, isGood: !random.oneIn(30)))
        }
    }

    /// A tag that now names another commit.
    private mutating func moveTag(_ origin: Origin) async throws {
        let tags = await origin.tags
        guard !tags.isEmpty else { return }
        let ref = random.pick(tags)
        try await world.desk.settle(origin.name, ref)
        let parent = await origin.heads[ref]
        await tell(try await origin.push(ref, onto: parent, isGood: true))
        world.counts.add("tags that were moved")
    }

    private mutating func branch() -> String {
        "refs/heads/" + (random.oneIn(2) ? "main" : "release-\(1 + random.below(3))")
    }

    /// At once, late, twice, or never; late ones come out of order.
    private mutating func tell(_ change: Origin.Change) async {
        let late = Duration.milliseconds(200 + random.below(4000))
        let later = Duration.milliseconds(200 + random.below(9000))
        switch random.below(100) {
        case ..<55: await world.desk.tell(change, after: [.zero])
        case ..<75:
            world.counts.add("told late")
            await world.desk.tell(change, after: [late])
        case ..<90:
            world.counts.add("told twice")
            await world.desk.tell(change, after: [.zero, later])
        default:
            guard !world.options.leavesOutPoll else { return await world.desk.tell(change, after: [late]) }
            world.counts.add("told never")
        }
    }

    /// One of the last builds that came of a webhook.
    private mutating func someBuild() async -> (id: Int, of: Origin.Change)? {
        let recent = await world.desk.accepted.suffix(40).flatMap { accepted in
            accepted.builds.map { (id: $0, of: accepted.change) }
        }
        return recent.isEmpty ? nil : random.pick(recent)
    }

    /// Whether building it again, which makes it the last accepted, can't be taken for going back.
    private func isOnLine(_ change: Origin.Change) async -> Bool {
        guard let origin = world.origins.first(where: { $0.name == change.repository }),
            let head = await origin.heads[change.ref]
        else { return false }
        return await origin.isAncestor(change.after, of: head)
    }
}
