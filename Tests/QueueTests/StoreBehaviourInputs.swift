import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of what images are made of, on every kind of database.
@Suite struct StoreBehaviourInputs {
    private static let key = Fixture.digest(7)
    private static let base = BaseImage(
        image: sure(try ImageName("registry.example.com/debian")), tag: sure(try tag("bookworm")),
        digest: Fixture.digest(8))

    /// Takes a build through all its stages, to its end unless another is made of it.
    @discardableResult
    private func finish(
        _ fixture: Fixture, _ new: NewBuild, key: Digest? = key, reusing reused: Build.ID? = nil, digest: Int = 1,
        end: (any Store, Hold) async throws -> Void = { try await $0.finish($1) }
    ) async throws -> Build.ID {
        var delivery = fixture.delivery(repository: new.repository)
        delivery.force = true
        let accepted = try await fixture.store.accept(delivery, builds: [new])
        let id = try #require(accepted.builds.first).id
        let hold = try #require(try await fixture.claim(9).first { $0.id == id }).hold
        let inputs = BuildInputs(key: key, doubt: key == nil ? "a secret" : nil)
        try await fixture.store.inputs(hold, inputs, reuse: "so it is")
        try await fixture.store.startPushing(hold, commitTag: tag("of-\(id)"), reusing: reused)
        try await fixture.store.pushed(hold, digest: Fixture.digest(digest))
        try await end(fixture.store, hold)
        return id
    }

    private func new(
        _ digit: Int = 1, repository: RepositoryName = Fixture.repository, image: ImageName = Fixture.image
    ) throws -> NewBuild {
        try Fixture.newBuild(commit: Fixture.commit(digit), repository: repository, image: image)
    }

    private func reusable(_ fixture: Fixture, _ key: Digest = key, since: Date? = nil) async throws -> Build.ID? {
        let age = since.map { Duration.seconds(fixture.time.now.timeIntervalSince($0)) }
        return try await fixture.store.reusable(key, in: Fixture.image, within: age)?.id
    }

    @Test(arguments: StoreFactory.all)
    func whatAnAttemptFoundStandsUntilTheNextHasLooked(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            #expect(try await fixture.push().inputs == nil)
            let first = try await fixture.claimOne()
            var other = Self.base
            other.tag = try tag("12")
            try await store.inputs(first, BuildInputs(key: Self.key, bases: [Self.base, other]), reuse: "none has it")
            var build = try await fixture.build(1)
            #expect(build.inputs == BuildInputs(key: Self.key, bases: [other, Self.base]))
            #expect(build.reuse == "none has it" && build.reused == nil)
            #expect(try await store.builds(BuildQuery()) == [build])
            // The last word of an attempt counts.
            try await store.inputs(first, BuildInputs(doubt: "a secret", bases: [Self.base]), reuse: "in doubt")
            #expect(try await fixture.build(1).inputs == BuildInputs(doubt: "a secret", bases: [Self.base]))
            // Bases are looked at again while it is pushed.
            try await store.startPushing(first, commitTag: tag("sha-111111111111"))
            try await store.inputs(first, BuildInputs(doubt: "a secret"), reuse: "in doubt")
            try await store.retry(first, Failure(.system, .push, "down"), after: .zero)
            // An image that was built may still be pushed: it is made of the same.
            let second = try await fixture.claimOne()
            build = try await fixture.build(1)
            #expect(build.inputs?.doubt == "a secret" && build.reuse == "in doubt" && build.reused == nil)
            try await store.inputs(second, BuildInputs(key: Self.key), reuse: "none has it")
            build = try await fixture.build(1)
            #expect(build.inputs == BuildInputs(key: Self.key) && build.reuse == "none has it" && build.reused == nil)
            await fixture.expectLost(first) { try await $0.inputs(first, BuildInputs(doubt: "late"), reuse: "late") }
            #expect(try await fixture.build(1) == build)
        }
    }

    @Test(arguments: StoreFactory.all)
    func theNewestFinishedBuildOfTheKeyIsTaken(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            #expect(try await reusable(fixture) == nil)
            try await finish(fixture, new(1))
            try await finish(fixture, new(2))
            let other = try RepositoryName("acme/other")
            #expect(try await reusable(fixture) == 2)
            // Of whatever repository, where it goes to the same image.
            #expect(try await finish(fixture, new(3, repository: other)) == 3)
            #expect(try await reusable(fixture) == 3)
            // Another key, image, none at all.
            try await finish(fixture, new(4), key: Fixture.digest(6))
            try await finish(fixture, new(5, image: ImageName("registry.example.com/acme/elsewhere")))
            try await finish(fixture, new(6), key: nil)
            #expect(try await reusable(fixture) == 3)
            #expect(try await reusable(fixture, Fixture.digest(6)) == 4)
            #expect(try await reusable(fixture, Fixture.digest(5)) == nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatDidNotFinishIsNotTaken(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await finish(fixture, new(1)) { try await $0.fail($1, Failure(.system, .tag, "down")) }
            try await finish(fixture, new(2)) { store, hold in
                _ = try await store.cancel(hold.build, reason: "by ops")
                try await store.stop(hold)
            }
            try await finish(fixture, new(3)) { store, hold in
                let newer = try await fixture.push(9)
                #expect(try await store.giveWay(hold, to: newer.id))
                try await store.stop(hold)
            }
            try await finish(fixture, new(5)) { _, _ in }
            let ends = try await fixture.store.builds(BuildQuery()).map(\.state)
            #expect(ends == [.pushing, .building, .superseded, .cancelled, .failed])
            #expect(try await reusable(fixture) == nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func anImageIsAsOldAsItsMakingHoweverOftenItIsTaken(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let (store, time) = (fixture.store, fixture.time)
            let made = time.now
            try await finish(fixture, new(1))
            for digit in 2...4 {
                time.advance(by: .seconds(60))
                try await finish(fixture, new(digit), reusing: Build.ID(digit - 1))
                #expect(try await fixture.build(Build.ID(digit)).reused == Build.ID(digit - 1))
            }
            #expect(try await reusable(fixture, since: made) == 4)
            #expect(try await reusable(fixture, since: made.addingTimeInterval(0.001)) == nil)
            // Also where the one that made it is no longer kept.
            time.advance(by: .seconds(60))
            #expect(try await store.prune(Keep(builds: .init(count: 1)), limit: 9) == Pruned(builds: 3))
            #expect(try await reusable(fixture, since: made) == 4)
            #expect(try await reusable(fixture, since: made.addingTimeInterval(0.001)) == nil)
            try await finish(fixture, new(5), reusing: 4)
            #expect(try await reusable(fixture, since: made.addingTimeInterval(0.001)) == nil)
            // Nobody knows the age of one whose maker went while it was taken.
            try await finish(fixture, new(6), reusing: 1)
            #expect(try await reusable(fixture) == 6)
            #expect(try await reusable(fixture, since: Date(timeIntervalSince1970: 0)) == 5)
            // And then it is made anew.
            let anew = time.now
            try await finish(fixture, new(7))
            #expect(try await reusable(fixture, since: anew) == 7)
            #expect(try await fixture.build(7).reused == nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aReusedBuildIsTheLastFinished(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await finish(fixture, new(1))
            try await finish(fixture, new(2), reusing: 1)
            let next = try await fixture.push(3)
            #expect(try await fixture.store.lastFinished(before: next)?.id == 2)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aCommitTagIsSharedOnlyByTheImageThatItNames(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            let name = try tag("of-1")
            try await finish(fixture, new(1))
            try await finish(fixture, new(2), reusing: 1)
            try await finish(fixture, new(3), key: Fixture.digest(6), digest: 3)
            try await fixture.push(1)
            let hold = try await fixture.claimOne()
            // What is made is another image, whatever it is made of; and so is what another key made.
            for reused in [nil, Build.ID(3), 99] {
                await #expect(throws: CommitTagTaken(by: 1), "\(String(describing: reused))") {
                    try await store.startPushing(hold, commitTag: name, reusing: reused)
                }
                #expect(try await fixture.build(4).state == .building)
            }
            try await store.startPushing(hold, commitTag: name, reusing: 2)
            let build = try await fixture.build(4)
            #expect(build.state == .pushing && build.commitTag == name && build.reused == 2)
            // It stays whose it was.
            #expect(try await !store.ownsCommitTag(hold, name))
            try await store.fail(hold, Failure(.system, .push, "down"))
            try await fixture.push(1)
            let next = try await fixture.claimOne()
            await #expect(throws: CommitTagTaken(by: 1)) { try await store.startPushing(next, commitTag: name) }
            // One that nobody has is the build's own.
            try await store.startPushing(next, commitTag: tag("free"), reusing: 2)
            #expect(try await store.ownsCommitTag(next, tag("free")))
        }
    }

    @Test(arguments: StoreFactory.all)
    func theCommitTagOfABuildThatMayPushAnotherImageIsNotShared(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await finish(fixture, new(1))
            // Its next attempt may build.
            try await finish(fixture, new(2), reusing: 1) { _, _ in }
            try await fixture.push(2)
            let hold = try await fixture.claimOne()
            await #expect(throws: CommitTagTaken(by: 2)) {
                try await store.startPushing(hold, commitTag: tag("of-2"), reusing: 1)
            }
            try await store.finish(Hold(build: 2, attempt: 1))
            try await store.startPushing(hold, commitTag: tag("of-2"), reusing: 1)
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatAnImageStandsOnGoesWithItsBuild(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let hold = try await fixture.claimOne()
            try await fixture.store.inputs(hold, BuildInputs(doubt: "a secret", bases: [Self.base]), reuse: "in doubt")
            try await fixture.store.fail(hold, Failure(.build, .build, "no"))
            fixture.time.advance(by: .seconds(60))
            #expect(try await fixture.store.prune(Keep(builds: .init(age: .zero)), limit: 9) == Pruned(builds: 1))
            #expect(try await fixture.store.build(1) == nil)
        }
    }
}
