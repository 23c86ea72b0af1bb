import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store keeps of the past, on every kind of database.
@Suite struct StoreBehaviourRetention {
    private static let all = Keep.Bound()
    private static let day = Duration.seconds(86400)

    private func keep(builds: Keep.Bound = all, logs: Keep.Bound = all, deliveries: Keep.Bound = all) -> Keep {
        Keep(builds: builds, logs: logs, deliveries: deliveries)
    }

    /// One build that ends failed, with a log.
    @discardableResult
    private func ended(_ fixture: Fixture, repository: RepositoryName = Fixture.repository) async throws -> Build.ID {
        let id = try await fixture.push(repository: repository).id
        let hold = try #require(try await fixture.claim(99).first { $0.id == id }).hold
        try await fixture.store.append(hold, log: Data("log of \(id)".utf8))
        try await fixture.store.fail(hold, Failure(.build, .build, "no"))
        return id
    }

    private func ids(_ fixture: Fixture) async throws -> [Build.ID] {
        try await fixture.store.builds(BuildQuery(limit: 999)).map(\.id).reversed()
    }

    private func deliveries(_ fixture: Fixture) async throws -> Int {
        try await fixture.store.deliveries(DeliveryQuery(limit: 999)).count
    }

    @Test(arguments: StoreFactory.all)
    func withoutBoundsEverythingStays(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for _ in 1...3 { try await ended(fixture) }
            fixture.time.advance(by: .seconds(86400 * 9999))
            #expect(try await fixture.store.prune(keep(), limit: 9).isNothing)
            #expect(try await ids(fixture) == [1, 2, 3])
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatIsOlderGoesWithAllThatBelongsToIt(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            // One that came long ago and is to end just now.
            try await fixture.push()
            let slow = try await fixture.claimOne()
            try await ended(fixture)
            fixture.time.advance(by: .seconds(86400))
            try await ended(fixture)
            fixture.time.advance(by: .seconds(86401))
            try await store.skip(slow, reason: "no file of it changed")
            let bound = Keep.Bound(age: Self.day * 2)
            #expect(try await store.prune(keep(builds: bound), limit: 9) == Pruned(builds: 1))
            #expect(try await ids(fixture) == [1, 3])
            #expect(try await store.build(2) == nil)
            #expect(try await store.log(2, offset: 0, limit: 99).isEmpty)
            #expect(try await store.log(3, offset: 0, limit: 99) == Data("log of 3".utf8))
            #expect(try await deliveries(fixture) == 3)
            #expect(try await store.prune(keep(builds: bound), limit: 9).isNothing)
            // Numbers are not given twice.
            fixture.time.advance(by: Self.day * 9)
            #expect(try await store.prune(keep(builds: bound), limit: 9) == Pruned(builds: 2))
            #expect(try await fixture.push().id == 4)
        }
    }

    @Test(arguments: StoreFactory.all)
    func ofEachRepositoryTheNewestStay(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let other = try RepositoryName("acme/other")
            for _ in 1...4 { try await ended(fixture) }
            for _ in 1...2 { try await ended(fixture, repository: other) }
            let three = keep(builds: .init(count: 3), deliveries: .init(count: 3))
            #expect(try await fixture.store.prune(three, limit: 9) == Pruned(builds: 1, deliveries: 1))
            #expect(try await ids(fixture) == [2, 3, 4, 5, 6])
            #expect(try await deliveries(fixture) == 5)
            // Of what came behind the newest, one that waits is one of them.
            let one = keep(builds: .init(count: 1), deliveries: .init(count: 1))
            try await fixture.push()
            #expect(try await fixture.store.prune(one, limit: 9) == Pruned(builds: 4, deliveries: 4))
            #expect(try await ids(fixture) == [6, 7])
            let none = keep(builds: .init(count: 0), deliveries: .init(count: 0))
            #expect(try await fixture.store.prune(none, limit: 9) == Pruned(builds: 1, deliveries: 1))
            #expect(try await ids(fixture) == [7])
        }
    }

    @Test(arguments: StoreFactory.all)
    func deliveriesOfNoRepositoryAreBoundedToo(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for _ in 1...3 {
                var stray = fixture.delivery()
                stray.repository = nil
                _ = try await fixture.store.accept(stray)
            }
            #expect(try await fixture.store.prune(keep(deliveries: .init(count: 2)), limit: 9) == Pruned(deliveries: 1))
            fixture.time.advance(by: Self.day)
            let young = keep(deliveries: .init(age: .seconds(60)))
            #expect(try await fixture.store.prune(young, limit: 9) == Pruned(deliveries: 2))
        }
    }

    @Test(arguments: StoreFactory.all)
    func logsMayGoBeforeTheirBuilds(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            for _ in 1...3 { try await ended(fixture) }
            #expect(try await store.prune(keep(logs: .init(count: 2)), limit: 9) == Pruned(logs: 1))
            #expect(try await store.log(1, offset: 0, limit: 99).isEmpty)
            #expect(try await store.logLength(1) == 0)
            #expect(try await store.log(2, offset: 0, limit: 99) == Data("log of 2".utf8))
            fixture.time.advance(by: Self.day)
            let young = keep(logs: .init(age: .seconds(60)))
            #expect(try await store.prune(young, limit: 9) == Pruned(logs: 2))
            #expect(try await store.prune(young, limit: 9).isNothing)
            #expect(try await ids(fixture) == [1, 2, 3])
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatATagPointsAtStays(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            for (digit, name) in [(1, "stable"), (2, "latest"), (3, "latest")] {
                try await fixture.push(digit)
                let hold = try await fixture.pushImage(digit)
                _ = try await store.startMoving(hold, tag: tag(name))
                try await store.moved(hold, tag: tag(name))
                try await store.finish(hold)
            }
            for _ in 4...6 { try await ended(fixture) }
            fixture.time.advance(by: Self.day)
            let hard = keep(builds: .init(age: .zero, count: 0))
            #expect(try await store.prune(hard, limit: 99) == Pruned(builds: 4))
            #expect(try await ids(fixture) == [1, 3])
            #expect(try await store.tag(tag("stable"), of: Fixture.image)?.build == 1)
            // A commit tag names one image for ever: also that of a build which is no longer there.
            for (digit, owner) in [(2, Build.ID(2)), (3, 3)] {
                try await fixture.push(digit)
                let hold = try await fixture.claimOne()
                let name = try tag("sha-" + String(repeating: "\(digit)", count: 12))
                await #expect(throws: CommitTagTaken(by: owner)) { try await store.startPushing(hold, commitTag: name) }
                #expect(try await !store.ownsCommitTag(hold, name))
            }
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatHasNotEndedStaysWithItsDeliveries(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await ended(fixture)
            for digit in 2...5 { try await fixture.push(digit) }
            _ = try await fixture.pushImage()
            _ = try await fixture.claimOne()
            try await store.retry(fixture.claimOne(), Failure(.system, .build, "down"), after: .seconds(600))
            fixture.time.advance(by: .seconds(86400 * 400))
            let hard = Keep(
                builds: .init(age: .zero, count: 0), logs: .init(age: .zero, count: 0),
                deliveries: .init(age: .zero, count: 0))
            #expect(try await store.prune(hard, limit: 99) == Pruned(builds: 1, deliveries: 1))
            #expect(try await ids(fixture) == [2, 3, 4, 5])
            #expect(try await store.load() == QueueLoad(pending: 2, running: 2))
            for build in try await store.builds(BuildQuery()) {
                let delivery = try #require(build.cause.delivery)
                #expect(try await store.delivery(delivery)?.built.map(\.build) == [build.id])
            }
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatATagOfARunningBuildMovesIsLeftAlone(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await ended(fixture)
            try await fixture.push(2)
            let hold = try await fixture.pushImage(2)
            #expect(try await store.startMoving(hold, tag: tag("latest")) == .granted(holder: nil))
            fixture.time.advance(by: Self.day)
            _ = try await store.prune(Keep(builds: .init(age: .zero, count: 0)), limit: 99)
            try await store.moved(hold, tag: tag("latest"))
            try await store.finish(hold)
            #expect(try await store.tag(tag("latest"), of: Fixture.image)?.build == 2)
        }
    }

    @Test(arguments: StoreFactory.all)
    func oneCallRemovesNoMoreThanItsLimitOfEachKind(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            let other = try RepositoryName("acme/other")
            for _ in 1...5 { try await ended(fixture) }
            for _ in 1...2 { try await ended(fixture, repository: other) }
            fixture.time.advance(by: Self.day)
            let hard = Keep(
                builds: .init(age: Self.day, count: 0), logs: .init(age: .seconds(60), count: 0),
                deliveries: .init(age: .seconds(60), count: 0))
            #expect(try await store.prune(hard, limit: 0).isNothing)
            #expect(try await store.prune(hard, limit: -1).isNothing)
            #expect(try await store.prune(hard, limit: 2) == Pruned(builds: 2, logs: 2, deliveries: 2))
            // The oldest first.
            #expect(try await ids(fixture) == [3, 4, 5, 6, 7])
            var pruned = Pruned()
            while true {
                let more = try await store.prune(hard, limit: 2)
                if more.isNothing { break }
                #expect(more.builds <= 2 && more.logs <= 2 && more.deliveries <= 2)
                pruned.builds += more.builds
                pruned.deliveries += more.deliveries
            }
            #expect(pruned.builds == 5 && pruned.deliveries == 5)
            #expect(try await ids(fixture).isEmpty)
            #expect(try await deliveries(fixture) == 0)
            #expect(try await store.load() == QueueLoad(pending: 0, running: 0))
        }
    }

    @Test(arguments: StoreFactory.all)
    func theLastFinishedMayBeGone(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push(1)
            try await fixture.finishOne()
            let last = try await fixture.push(2)
            fixture.time.advance(by: Self.day)
            _ = try await fixture.store.prune(Keep(builds: .init(count: 0)), limit: 9)
            #expect(try await fixture.store.lastFinished(before: last) == nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatNamesASuccessorThatIsGoneNamesItStill(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            var rule = Fixture.rule()
            rule.cancelRunning = true
            try await fixture.push(1, rule: rule)
            let hold = try await fixture.claimOne()
            try await fixture.store.supersede([1], by: fixture.push(2, rule: rule).id)
            _ = try await fixture.store.cancel(2, reason: "by ops")
            fixture.time.advance(by: Self.day)
            #expect(try await fixture.store.prune(Keep(builds: .init(age: .zero)), limit: 9).builds == 1)
            try await fixture.store.stop(hold)
            #expect(try await fixture.build(1).successor == 2)
        }
    }
}
