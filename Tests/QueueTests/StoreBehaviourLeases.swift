import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of leases and attempts, on every kind of database.
@Suite struct StoreBehaviourLeases {
    /// Every call of a worker, as one that must be refused.
    private static let calls: [(String, @Sendable (any Store, Hold) async throws -> Void)] = [
        ("renew", { try await $0.renew($1, lease: .seconds(9)) }),
        (
            "resolve",
            {
                let names = try Fixture.names(Fixture.commit(9))
                try await $0.resolve($1, Resolution(commit: Fixture.commit(9), message: "", author: "", names: names))
            }
        ),
        ("inputs", { try await $0.inputs($1, BuildInputs(doubt: "late"), reuse: "late") }),
        ("append", { try await $0.append($1, log: Data("late".utf8)) }),
        ("append nothing", { try await $0.append($1, log: Data()) }),
        ("startPushing", { try await $0.startPushing($1, commitTag: tag("sha-999999999999")) }),
        ("pushed", { try await $0.pushed($1, digest: Fixture.digest(9)) }),
        ("startMoving", { _ = try await $0.startMoving($1, tag: tag("latest")) }),
        ("moved", { try await $0.moved($1, tag: tag("latest")) }),
        ("kept", { try await $0.kept($1, tag: tag("latest"), reason: "late") }),
        ("finish", { try await $0.finish($1) }),
        ("skip", { try await $0.skip($1, reason: "late") }),
        ("fail", { try await $0.fail($1, Failure(.system, .build, "late")) }),
        ("giveBack", { try await $0.giveBack($1) }),
        ("retry", { try await $0.retry($1, Failure(.system, .build, "late"), after: .zero) }),
        // Nobody has asked for it.
        ("stop", { try await $0.stop($1) }),
    ]

    private func expectAllLost(
        _ hold: Hold, _ fixture: Fixture, but allowed: Set<String> = [], location: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try await fixture.store.build(hold.build)
        for (name, call) in Self.calls where !allowed.contains(name) {
            let error = await #expect(throws: LeaseLost.self, "\(name)", sourceLocation: location) {
                try await call(fixture.store, hold)
            }
            #expect(error?.hold == hold, sourceLocation: location)
            #expect(error.map { name.hasPrefix($0.operation) } == true, sourceLocation: location)
        }
        #expect(try await fixture.store.build(hold.build) == before, sourceLocation: location)
        #expect(try await fixture.store.log(hold.build, offset: 0, limit: 100).isEmpty, sourceLocation: location)
    }

    @Test(arguments: StoreFactory.all)
    func nobodyHoldsAPendingOrMissingBuild(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            try await expectAllLost(Hold(build: 1, attempt: 0), fixture)
            try await expectAllLost(Hold(build: 1, attempt: 1), fixture)
            try await expectAllLost(Hold(build: 7, attempt: 1), fixture)
        }
    }

    @Test(arguments: StoreFactory.all)
    func anAttemptChangesNothingAfterItsRescue(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let first = try await fixture.pushImage()
            fixture.time.advance(by: .seconds(61))
            #expect(try await fixture.store.rescue(all: false, tries: 9) == [1])
            try await expectAllLost(first, fixture)
            // Not under the next attempt either, in any of its states.
            let second = try await fixture.claimOne()
            #expect(second == Hold(build: 1, attempt: 2))
            try await expectAllLost(first, fixture)
            try await fixture.store.startPushing(second, commitTag: tag("sha-111111111111"))
            try await fixture.store.pushed(second, digest: Fixture.digest(2))
            _ = try await fixture.store.startMoving(second, tag: tag("latest"))
            try await expectAllLost(first, fixture)
            try await fixture.store.finish(second)
            try await expectAllLost(first, fixture)
            try await expectAllLost(second, fixture)
        }
    }

    @Test(arguments: StoreFactory.all)
    func afterAFailureNothingChanges(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let hold = try await fixture.claimOne()
            try await fixture.store.fail(hold, Failure(.build, .build, "no such stage"))
            try await expectAllLost(hold, fixture)
            #expect(try await fixture.store.rescue(all: true, tries: 9).isEmpty)
        }
    }

    @Test(arguments: StoreFactory.all)
    func eachCallBelongsToItsStates(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            let running: Set = ["renew", "append", "append nothing", "fail", "giveBack", "retry"]
            _ = try await store.accept(fixture.delivery(), builds: [Fixture.newBuild(commit: nil)])
            let hold = try await fixture.claimOne()
            // Without a commit there is nothing to push.
            try await expectAllLost(hold, fixture, but: running.union(["resolve", "inputs", "skip"]))
            let names = try Fixture.names(Fixture.commit(1))
            try await store.resolve(hold, Resolution(commit: Fixture.commit(1), message: "", author: "", names: names))
            try await expectAllLost(
                hold, fixture, but: running.union(["resolve", "inputs", "skip", "startPushing"]))
            try await store.startPushing(hold, commitTag: names.commitTag)
            // Without a digest there is nothing to move and no end.
            try await expectAllLost(hold, fixture, but: running.union(["inputs", "pushed"]))
            try await store.pushed(hold, digest: Fixture.digest(1))
            // Without the right to move a tag it isn't moved.
            try await expectAllLost(
                hold, fixture, but: running.union(["inputs", "pushed", "startMoving", "kept", "finish"]))
        }
    }

    @Test(arguments: StoreFactory.all)
    func onlyOverdueBuildsAreRescued(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for digit in 1...3 { try await fixture.push(digit) }
            let overdue = try await fixture.claimOne()
            let renewed = try await fixture.claimOne()
            fixture.time.advance(by: .seconds(60))
            #expect(try await fixture.store.rescue(all: false, tries: 9).isEmpty)
            try await fixture.store.renew(renewed, lease: Fixture.lease)
            fixture.time.advance(by: .milliseconds(1))
            #expect(try await fixture.store.rescue(all: false, tries: 9) == [overdue.build])
            #expect(try await fixture.build(overdue.build).state == .pending)
            #expect(try await fixture.build(renewed.build).state == .building)
            // The oldest comes first again.
            #expect(try await fixture.claim(2).map(\.hold) == [Hold(build: 1, attempt: 2), Hold(build: 3, attempt: 1)])
        }
    }

    @Test(arguments: StoreFactory.all)
    func anOverdueLeaseThatNobodyTookIsRenewed(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let hold = try await fixture.claimOne()
            fixture.time.advance(by: .seconds(600))
            try await fixture.store.renew(hold, lease: Fixture.lease)
            #expect(try await fixture.store.rescue(all: false, tries: 9).isEmpty)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aStartRescuesEveryRunningBuild(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for digit in 1...4 { try await fixture.push(digit) }
            let finished = try await fixture.pushImage()
            try await fixture.store.finish(finished)
            _ = try await fixture.pushImage()
            _ = try await fixture.claimOne()
            #expect(try await fixture.store.rescue(all: true, tries: 9) == [2, 3])
            #expect(try await fixture.store.load() == QueueLoad(pending: 3, running: 0))
            let rescued = try await fixture.build(2)
            #expect(rescued.startedAt == nil && rescued.pushingAt == nil)
            #expect(rescued.attempt == 1)
        }
    }
}
