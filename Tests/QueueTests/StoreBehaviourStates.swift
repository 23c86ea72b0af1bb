import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of a build's way, on every kind of database.
@Suite struct StoreBehaviourStates {
    @Test(arguments: StoreFactory.all)
    func acceptedBuildsAreNumberedInOrderAndReadBackAsGiven(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let new = try [1, 2, 3].map { try Fixture.newBuild(commit: Fixture.commit($0), rule: Fixture.rule($0)) }
            let acceptance = try await fixture.store.accept(fixture.delivery(), builds: new)
            #expect(acceptance.builds.map(\.id) == [1, 2, 3])
            for (build, new) in zip(acceptance.builds, new) {
                let names = try #require(new.names)
                let expected = Build(
                    id: build.id, repository: new.repository, state: .pending, ref: new.push.ref,
                    commit: new.push.commit, message: "Sell more", author: "Ada", rule: new.rule,
                    captures: new.captures, image: new.image, commitTag: names.commitTag,
                    tags: names.tags.map { BuildTag(name: $0) },
                    cause: Cause(.webhook, host: "github", delivery: acceptance.delivery), createdAt: fixture.time.now)
                #expect(build == expected)
                #expect(try await fixture.store.build(build.id) == expected)
            }
            #expect(try await fixture.store.build(99) == nil)
            #expect(try await fixture.store.load() == QueueLoad(pending: 3, running: 0))
        }
    }

    @Test(arguments: StoreFactory.all)
    func aDeliveryNeedsNoBuild(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let first = try await fixture.store.accept(fixture.delivery(), builds: [])
            let second = try await fixture.store.accept(fixture.delivery(), builds: [])
            #expect(first.builds.isEmpty)
            #expect(first.delivery != second.delivery)
        }
    }

    @Test(arguments: StoreFactory.all)
    func timesKeepTheirMilliseconds(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for _ in 0..<50 {
                fixture.time.advance(by: .milliseconds(1237))
                let build = try await fixture.push()
                let stored = (build.createdAt.timeIntervalSince1970 * 1000).rounded()
                #expect(stored == (fixture.time.now.timeIntervalSince1970 * 1000).rounded())
            }
        }
    }

    @Test(arguments: StoreFactory.all)
    func claimTakesTheOldestAndNoMoreThanAsked(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for digit in 1...3 { try await fixture.push(digit) }
            #expect(try await fixture.claim(0).isEmpty)
            #expect(try await fixture.claim(-1).isEmpty)
            fixture.time.advance(by: .seconds(1))
            let claimed = try await fixture.claim(2)
            #expect(claimed.map(\.id) == [1, 2])
            #expect(claimed.allSatisfy { $0.state == .building && $0.attempt == 1 && $0.startedAt == fixture.time.now })
            #expect(try await fixture.store.load() == QueueLoad(pending: 1, running: 2))
            #expect(try await fixture.claim(5).map(\.id) == [3])
            #expect(try await fixture.claim(5).isEmpty)
        }
    }

    @Test(arguments: StoreFactory.all)
    func twoStoresClaimingAtOnceTakeNoBuildTwice(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for digit in 0..<40 { try await fixture.push(digit) }
            let other = try await fixture.openAgain()
            let stores = [fixture.store, other]
            let claimed = try await withThrowingTaskGroup(of: [Build.ID].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var mine: [Build.ID] = []
                        while true {
                            let builds = try await stores[worker % 2].claim(
                                limit: 1 + worker % 3, worker: "w\(worker)", lease: Fixture.lease)
                            if builds.isEmpty { return mine }
                            mine += builds.map(\.id)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            await other.close()
            #expect(claimed.sorted() == Array(1...40))
        }
    }

    @Test(arguments: StoreFactory.all)
    func aBuildGoesFromPendingToFinished(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let (store, time) = (fixture.store, fixture.time)
            _ = try await store.accept(fixture.delivery(), builds: [Fixture.newBuild(commit: nil)])
            let accepted = try await fixture.build(1)
            #expect(accepted.commit == nil && accepted.commitTag == nil && accepted.tags.isEmpty)

            time.advance(by: .seconds(1))
            let hold = try await fixture.claimOne()
            let startedAt = time.now
            let names = try Fixture.names(Fixture.commit(4))
            try await store.resolve(
                hold, Resolution(commit: Fixture.commit(4), message: "Found", author: "Grace", names: names))
            let resolved = try await fixture.build(1)
            #expect(resolved.commit == Fixture.commit(4))
            #expect(resolved.message == "Found" && resolved.author == "Grace")
            #expect(resolved.commitTag == names.commitTag)
            #expect(resolved.tags.map(\.name) == names.tags)

            time.advance(by: .seconds(1))
            let pushingAt = time.now
            try await store.startPushing(hold, commitTag: tag("sha-444444444444"))
            #expect(try await fixture.build(1).state == .pushing)
            #expect(try await fixture.build(1).pushingAt == pushingAt)
            try await store.pushed(hold, digest: Fixture.digest(4))
            #expect(try await store.startMoving(hold, tag: tag("latest")) == .granted(holder: nil))
            try await store.moved(hold, tag: tag("latest"))
            try await store.kept(hold, tag: tag("stable"), reason: "a newer commit has it")

            time.advance(by: .seconds(1))
            try await store.finish(hold)
            let finished = try await fixture.build(1)
            #expect(finished.state == .finished && finished.digest == Fixture.digest(4) && finished.attempt == 1)
            #expect(
                finished.startedAt == startedAt && finished.pushingAt == pushingAt && finished.finishedAt == time.now)
            #expect(
                try finished.tags == [
                    BuildTag(name: tag("latest"), moved: true),
                    BuildTag(name: tag("stable"), reason: "a newer commit has it"),
                ])
            #expect(try await store.load() == QueueLoad(pending: 0, running: 0))
        }
    }

    @Test(arguments: StoreFactory.all, [false, true])
    func aFailureIsKept(_ factory: StoreFactory, whilePushing: Bool) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let hold = whilePushing ? try await fixture.startPushing() : try await fixture.claimOne()
            let failure = Failure(.system, .push, "the registry is down")
            try await fixture.store.fail(hold, failure)
            let build = try await fixture.build(1)
            #expect(build.state == .failed && build.failure == failure && build.finishedAt == fixture.time.now)
            #expect((build.pushingAt != nil) == whilePushing)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aBuildWithNothingToDoIsCancelledAndSaysWhy(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push(1)
            let hold = try await fixture.claimOne()
            try await fixture.store.skip(hold, reason: "no file of paths changed")
            let build = try await fixture.build(1)
            #expect(build.state == .cancelled && build.reason == "no file of paths changed" && build.failure == nil)
            #expect(build.finishedAt == fixture.time.now)
            #expect(try await fixture.store.builds(BuildQuery()) == [build])
            await fixture.expectLost(hold) { try await $0.skip(hold, reason: "again") }
            // What is being pushed is no longer to be skipped.
            try await fixture.push(2)
            let pushing = try await fixture.startPushing()
            await fixture.expectLost(pushing) { try await $0.skip(pushing, reason: "late") }
        }
    }

    @Test(arguments: StoreFactory.all, [false, true])
    func aBuildGivenBackIsPendingAsNew(_ factory: StoreFactory, whilePushing: Bool) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let hold = whilePushing ? try await fixture.pushImage() : try await fixture.claimOne()
            try await fixture.store.giveBack(hold)
            let build = try await fixture.build(1)
            #expect(build.state == .pending && build.startedAt == nil && build.pushingAt == nil)
            await fixture.expectLost(hold) { try await $0.finish(hold) }
            #expect(try await fixture.claimOne() == Hold(build: 1, attempt: 2))
        }
    }

    @Test(arguments: StoreFactory.all)
    func buildsAreListedNewestFirst(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            let other = try RepositoryName("acme/other")
            let tagged = try Fixture.newBuild(commit: Fixture.commit(2), ref: "refs/tags/v1")
            let foreign = try Fixture.newBuild(commit: Fixture.commit(3), repository: other)
            try await fixture.push(1)
            _ = try await store.accept(fixture.delivery(), builds: [tagged, foreign])
            try await fixture.push(4)
            _ = try await fixture.claimOne()

            func ids(_ query: BuildQuery) async throws -> [Build.ID] { try await store.builds(query).map(\.id) }
            #expect(try await ids(BuildQuery()) == [4, 3, 2, 1])
            #expect(try await ids(BuildQuery(limit: 2)) == [4, 3])
            #expect(try await ids(BuildQuery(before: 3, limit: 1)) == [2])
            #expect(try await ids(BuildQuery(limit: 0)) == [])
            #expect(try await ids(BuildQuery(limit: -1)) == [])
            #expect(try await ids(BuildQuery(repository: other)) == [3])
            #expect(try await ids(BuildQuery(states: [.building])) == [1])
            #expect(try await ids(BuildQuery(states: [.pending, .building])) == [4, 3, 2, 1])
            #expect(try await ids(BuildQuery(ref: RefName("refs/tags/v1"))) == [2])
            #expect(
                try await ids(
                    BuildQuery(repository: Fixture.repository, states: [.pending], ref: RefName("refs/heads/main")))
                    == [4])
            #expect(try await store.builds(BuildQuery(limit: 1)).first?.tags.count == 2)
        }
    }

    @Test(arguments: StoreFactory.all)
    func everythingIsThereAfterOpeningAgain(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push(1)
            let hold = try await fixture.pushImage(1)
            try await fixture.store.append(hold, log: Data("hello".utf8))
            _ = try await fixture.store.startMoving(hold, tag: tag("latest"))
            try await fixture.store.moved(hold, tag: tag("latest"))
            let before = try await fixture.build(1)
            await fixture.store.close()

            let again = try await fixture.openAgain()
            #expect(try await again.build(1) == before)
            #expect(try await again.log(1, offset: 0, limit: 100) == Data("hello".utf8))
            #expect(try await again.tag(tag("latest"), of: Fixture.image)?.build == 1)
            try await again.renew(hold, lease: Fixture.lease)
            try await again.finish(hold)
            #expect(
                try await again.accept(fixture.delivery(), builds: [Fixture.newBuild(commit: nil)]).builds[0].id == 2)
            await again.close()
        }
    }

    @Test(arguments: StoreFactory.all)
    func aProbeLeavesNothing(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.store.probe()
            try await fixture.store.probe()
            #expect(try await fixture.store.load() == QueueLoad(pending: 0, running: 0))
        }
    }
}
