import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of base images that move, on every kind of database.
@Suite struct StoreBehaviourBases {
    private static let moved = "base image debian:bookworm moved from sha256:1 to sha256:2"

    /// Tells that a base image of this commit's build moved.
    private func tell(
        _ fixture: Fixture, _ digit: Int = 1, detail: String = moved, ref: String = "refs/heads/main",
        rules: [Rule] = [Fixture.rule()]
    ) async throws -> Acceptance {
        var delivery = fixture.delivery()
        (delivery.kind, delivery.host, delivery.senderID, delivery.detail) = (.base, nil, nil, detail)
        return try await fixture.store.accept(
            delivery, builds: rules.map { try Fixture.newBuild(commit: Fixture.commit(digit), ref: ref, rule: $0) })
    }

    private func deliveries(_ fixture: Fixture) async throws -> Int {
        try await fixture.store.deliveries(DeliveryQuery(kinds: [.base])).count
    }

    private func fail(_ fixture: Fixture) async throws {
        try await fixture.store.fail(fixture.claimOne(), Failure(.build, .build, "no"))
    }

    /// Brings the pending build to its end, under a commit tag of its own.
    private func finish(_ fixture: Fixture) async throws {
        let hold = try await fixture.claimOne()
        try await fixture.store.startPushing(hold, commitTag: tag("of-\(hold.build)"))
        try await fixture.store.pushed(hold, digest: Fixture.digest(1))
        try await fixture.store.finish(hold)
    }

    @Test(arguments: StoreFactory.all)
    func whatWasBuiltIsBuiltAgainOnceForEachMove(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            try await finish(fixture)
            let told = try await tell(fixture)
            #expect(told.builds.map(\.id) == [2])
            #expect(told.builds.first?.cause == Cause(.base, delivery: told.delivery, detail: Self.moved))
            #expect(try await fixture.build(2) == told.builds.first)
            #expect(try await fixture.store.delivery(told.delivery)?.kind == .base)
            // While it is pending it will see every move.
            for detail in [Self.moved, "another moved"] {
                let again = try await tell(fixture, detail: detail)
                #expect(again.builds.isEmpty && again.ignored.contains { $0.build == 2 })
            }
            // Once it runs it has seen its own, whatever becomes of it.
            let hold = try await fixture.claimOne()
            #expect(try await tell(fixture).ignored.contains { $0.build == 2 })
            try await fixture.store.fail(hold, Failure(.build, .build, "no"))
            #expect(try await tell(fixture).ignored.contains { $0.build == 2 })
            #expect(try await tell(fixture, detail: "another moved").builds.map(\.id) == [3])
            try await fail(fixture)
            // Two that fail in turn don't call for each other.
            #expect(try await tell(fixture).builds.isEmpty)
            #expect(try await tell(fixture, detail: "another moved").builds.isEmpty)
            // What came of nothing is not kept.
            #expect(try await deliveries(fixture) == 2)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aBaseImageMayBeSetBackAndMoveThereAgain(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            try await finish(fixture)
            for (id, detail) in [(2, "there"), (3, "back"), (4, "there"), (5, "back")] as [(Build.ID, String)] {
                #expect(try await tell(fixture, detail: detail).builds.map(\.id) == [id])
                try await finish(fixture)
                #expect(try await tell(fixture, detail: detail).builds.isEmpty)
            }
        }
    }

    @Test(arguments: StoreFactory.all)
    func onlyTheSameIsKnown(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            #expect(try await tell(fixture).builds.map(\.id) == [1])
            #expect(try await tell(fixture, 2).builds.map(\.id) == [2])
            #expect(try await tell(fixture, ref: "refs/heads/dev").builds.map(\.id) == [3])
            // Of two rules the one that is new is built, and the delivery kept with both.
            let other = Fixture.rule(2, tags: ["other"])
            let told = try await tell(fixture, rules: [Fixture.rule(4), other])
            #expect(told.builds.map(\.id) == [4] && told.builds.first?.rule == other)
            #expect(told.ignored.contains { $0.rule == 4 && $0.build == 1 })
            #expect(try await fixture.store.delivery(told.delivery)?.ignored == told.ignored)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aNewerPushTakesThePlaceOfOneAndNotTheOtherWayRound(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            func push(_ digit: Int, before: Int) async throws -> Acceptance {
                try await fixture.store.accept(
                    fixture.delivery(),
                    builds: [
                        Fixture.newBuild(commit: Fixture.commit(digit), before: Fixture.commit(before))
                    ])
            }
            #expect(try await tell(fixture).superseded.isEmpty)
            #expect(try await push(2, before: 1).superseded == [1])
            // Of the older commit, told while the newer push is pending.
            let late = try await tell(fixture, detail: "another moved")
            #expect(late.builds.map(\.id) == [3] && late.superseded.isEmpty)
            #expect(try await fixture.build(2).state == .pending)
            // Both see each other, and who runs decides by Git's history.
            #expect(try await fixture.store.rivals(of: fixture.build(2)).map(\.id) == [3])
            #expect(try await fixture.store.rivals(of: fixture.build(3)).map(\.id) == [2])
        }
    }

    @Test(arguments: StoreFactory.all, [Build.State.failed, .cancelled, .finished])
    func whoGaveItsPlaceInVainIsBuiltAfterAll(_ factory: StoreFactory, end: Build.State) async throws {
        try await Fixture.with(factory) { fixture in
            _ = try await tell(fixture)
            let newer = try await fixture.push(2)
            try await fixture.store.supersede([1], by: newer.id)
            #expect(try await fixture.build(1).state == .superseded)
            #expect(try await tell(fixture).ignored.contains { $0.build == 1 })
            switch end {
            case .failed: try await fail(fixture)
            case .cancelled: _ = try await fixture.store.cancel(newer.id, reason: "by ops")
            default: try await finish(fixture)
            }
            #expect(try await tell(fixture).builds.map(\.id) == (end == .finished ? [] : [3]))
        }
    }

    // MARK: In use

    private static let debian = sure(try ImageName("registry.example.com/debian"))

    /// Builds and moves these tags; the base image's digest is that of the build's number.
    private func make(
        _ fixture: Fixture, _ new: NewBuild, bases: [String] = ["bookworm"], tags: [String] = ["latest", "stable"]
    ) async throws -> Build.ID {
        var delivery = fixture.delivery(repository: new.repository)
        delivery.force = true
        let accepted = try await fixture.store.accept(delivery, builds: [new])
        let id = try #require(accepted.builds.first).id
        let hold = try #require(try await fixture.claim(9).first { $0.id == id }).hold
        let bases = try bases.map { name in
            BaseImage(image: Self.debian, tag: try tag(name), digest: Fixture.digest(Int(id)))
        }
        try await fixture.store.inputs(hold, BuildInputs(doubt: "a secret", bases: bases), reuse: "in doubt")
        try await fixture.store.startPushing(hold, commitTag: tag("of-\(id)"))
        try await fixture.store.pushed(hold, digest: Fixture.digest(Int(id)))
        for name in tags {
            #expect(try await fixture.store.startMoving(hold, tag: tag(name)) != .busy(id))
            try await fixture.store.moved(hold, tag: tag(name))
        }
        try await fixture.store.finish(hold)
        return id
    }

    private func use(_ name: String, _ users: [Build.ID]) throws -> BaseInUse {
        BaseInUse(
            image: Self.debian, tag: try tag(name),
            users: users.map { BaseInUse.User(build: $0, digest: Fixture.digest(Int($0))) })
    }

    @Test(arguments: StoreFactory.all)
    func whatTagsPointAtStandsOnItsBaseImages(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            #expect(try await store.basesInUse().isEmpty)
            let elsewhere = try ImageName("registry.example.com/acme/elsewhere")
            _ = try await make(fixture, Fixture.newBuild(commit: Fixture.commit(1)))
            #expect(try await store.basesInUse() == [use("bookworm", [1])])
            _ = try await make(
                fixture, Fixture.newBuild(commit: Fixture.commit(1), image: elsewhere), bases: ["12", "bookworm"])
            #expect(try await store.basesInUse() == [use("12", [2]), use("bookworm", [1, 2])])
            // The newest of a ref and rule counts, also where a tag still points at one before.
            _ = try await make(fixture, Fixture.newBuild(commit: Fixture.commit(3)), tags: ["latest"])
            #expect(try await store.tag(tag("stable"), of: Fixture.image)?.build == 1)
            #expect(try await store.basesInUse() == [use("12", [2]), use("bookworm", [2, 3])])
            // Nothing of what no tag points at any more, or never did.
            _ = try await make(fixture, Fixture.newBuild(commit: Fixture.commit(4), image: elsewhere), bases: [])
            _ = try await make(fixture, Fixture.newBuild(commit: Fixture.commit(5)), bases: ["13"], tags: [])
            #expect(try await store.basesInUse() == [use("bookworm", [3])])
        }
    }

    @Test(arguments: StoreFactory.all)
    func eachRepositoryRefAndRuleStandsForItself(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let commit = Fixture.commit(1)
            let other = try RepositoryName("acme/other")
            _ = try await make(
                fixture, Fixture.newBuild(commit: commit, rule: Fixture.rule(1, tags: ["a"])), tags: ["a"])
            _ = try await make(
                fixture, Fixture.newBuild(commit: commit, ref: "refs/heads/dev", rule: Fixture.rule(1, tags: ["b"])),
                tags: ["b"])
            _ = try await make(
                fixture, Fixture.newBuild(commit: commit, repository: other, rule: Fixture.rule(1, tags: ["c"])),
                tags: ["c"])
            _ = try await make(
                fixture, Fixture.newBuild(commit: commit, rule: Fixture.rule(2, tags: ["d"])), tags: ["d"])
            #expect(try await fixture.store.basesInUse() == [use("bookworm", [1, 2, 3, 4])])
            // A rule is the same wherever it stands in the settings, and no other that stands there now.
            let moved = Fixture.rule(2, tags: ["a"])
            _ = try await make(fixture, Fixture.newBuild(commit: Fixture.commit(2), rule: moved), tags: ["a"])
            #expect(try await fixture.store.basesInUse() == [use("bookworm", [2, 3, 4, 5])])
        }
    }
}
