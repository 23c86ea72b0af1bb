import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of ends that somebody asks for, on every kind of database.
@Suite struct StoreBehaviourStops {
    private static let reason = "cancelled by ops"

    /// A build in this state, by a store's own verbs.
    private func build(_ state: Build.State, _ fixture: Fixture) async throws -> Build {
        let id = try await fixture.push(1).id
        let store = fixture.store
        switch state {
        case .pending: break
        case .building: _ = try await fixture.claimOne()
        case .pushing: _ = try await fixture.pushImage()
        case .finished: try await fixture.finishOne()
        case .failed: try await store.fail(fixture.claimOne(), Failure(.build, .build, "no"))
        case .cancelled: try await store.skip(fixture.claimOne(), reason: "no file of it changed")
        case .superseded: try await store.supersede([id], by: fixture.push(2).id)
        }
        return try await fixture.build(id)
    }

    @Test(arguments: StoreFactory.all, Build.State.allCases)
    func cancelEndsWhatWaitsAndAsksWhatRuns(_ factory: StoreFactory, state: Build.State) async throws {
        try await Fixture.with(factory) { fixture in
            let before = try await build(state, fixture)
            #expect(before.state == state)
            fixture.time.advance(by: .seconds(5))
            let returned = try #require(try await fixture.store.cancel(before.id, reason: Self.reason))
            #expect(try await fixture.build(before.id) == returned)
            var expected = before
            switch state {
            case .pending:
                expected.state = .cancelled
                expected.reason = Self.reason
                expected.finishedAt = fixture.time.now
            case .building, .pushing:
                expected.stop = .cancelled
                expected.reason = Self.reason
            default: break
            }
            #expect(returned == expected)
            // Asked again, nothing changes, the reason neither.
            #expect(try await fixture.store.cancel(before.id, reason: "again") == expected)
            let ids = try await fixture.claim(9).map(\.id)
            #expect(!ids.contains(before.id))
        }
    }

    @Test(arguments: StoreFactory.all)
    func nothingIsCancelledWhereThereIsNothing(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let build = try await fixture.store.cancel(7, reason: Self.reason)
            #expect(build == nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aBuildThatWaitsForAnotherAttemptIsCancelledWhole(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            try await fixture.store.retry(
                fixture.startPushing(), Failure(.system, .push, "the registry is down"), after: .seconds(40))
            let build = try #require(try await fixture.store.cancel(1, reason: Self.reason))
            #expect(build.state == .cancelled && build.failure == nil && build.retryAt == nil)
            #expect(try await fixture.store.nextDue(for: "w") == nil)
            #expect(try await fixture.store.load() == QueueLoad(pending: 0, running: 0))
        }
    }

    /// The calls of a worker, or of the rescuer, that end a build which was asked to stop.
    private static let endings = ["stop", "retry", "giveBack", "rescue", "lost for the last time", "start"]

    @Test(arguments: StoreFactory.all, endings)
    func aBuildThatWasAskedToStopEndsSo(_ factory: StoreFactory, ending: String) async throws {
        for superseded in [false, true] {
            try await Fixture.with(factory) { fixture in
                let store = fixture.store
                var rule = Fixture.rule()
                rule.cancelRunning = true
                try await fixture.push(1, rule: rule)
                let hold = try await fixture.pushImage()
                _ = try await store.startMoving(hold, tag: tag("latest"))
                if superseded {
                    try await store.supersede([1], by: fixture.push(2, rule: rule).id)
                } else {
                    _ = try await store.cancel(1, reason: Self.reason)
                }
                fixture.time.advance(by: .seconds(61))
                switch ending {
                case "stop": try await store.stop(hold)
                case "retry": try await store.retry(hold, Failure(.system, .push, "down"), after: .seconds(1))
                case "giveBack": try await store.giveBack(hold)
                case "rescue": #expect(try await store.rescue(all: false, tries: 9) == [1])
                case "lost for the last time": #expect(try await store.rescue(all: false, tries: 1) == [1])
                default: #expect(try await store.rescue(all: true, tries: 9) == [1])
                }
                let build = try await fixture.build(1)
                #expect(build.state == (superseded ? .superseded : .cancelled))
                #expect(build.reason == (superseded ? "build 2 is of a newer push to main" : Self.reason))
                #expect(build.successor == (superseded ? 2 : nil))
                #expect(build.stop == nil && build.failure == nil && build.finishedAt == fixture.time.now)
                #expect(try await store.load() == QueueLoad(pending: superseded ? 1 : 0, running: 0))
                await fixture.expectLost(hold) { try await $0.stop(hold) }
                // Its right to move the tag ended with it.
                if !superseded { try await fixture.push(2) }
                let next = try await fixture.pushImage(2)
                #expect(try await store.startMoving(next, tag: tag("latest")) == .granted(holder: nil))
            }
        }
    }

    @Test(arguments: StoreFactory.all, [Build.State.finished, .failed, .cancelled])
    func anEndThatCameFirstWins(_ factory: StoreFactory, state: Build.State) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await fixture.push()
            let hold = state == .finished ? try await fixture.pushImage() : try await fixture.claimOne()
            _ = try await store.cancel(1, reason: Self.reason)
            switch state {
            case .finished: try await store.finish(hold)
            case .failed: try await store.fail(hold, Failure(.build, .build, "no"))
            default: try await store.skip(hold, reason: "no file of it changed")
            }
            let build = try await fixture.build(1)
            #expect(build.state == state && build.stop == nil && build.successor == nil)
            #expect(build.reason == (state == .cancelled ? "no file of it changed" : nil))
        }
    }

    @Test(arguments: StoreFactory.all)
    func aBuildThatIsToEndGoesOnUntilItsWorkerActs(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let hold = try await fixture.claimOne()
            // Nobody has asked yet.
            await fixture.expectLost(hold) { try await $0.stop(hold) }
            _ = try await fixture.store.cancel(1, reason: Self.reason)
            try await fixture.store.renew(hold, lease: Fixture.lease)
            try await fixture.store.append(hold, log: Data("stopping".utf8))
            #expect(try await fixture.store.rescue(all: false, tries: 9).isEmpty)
            await fixture.expectLost(Hold(build: 1, attempt: 2)) { try await $0.stop(Hold(build: 1, attempt: 2)) }
            try await fixture.store.stop(hold)
            #expect(try await fixture.build(1).state == .cancelled)
        }
    }

    /// What it had sent may arrive all the same.
    @Test(arguments: StoreFactory.all)
    func aStoppedBuildKeepsItsCommitTag(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for _ in 1...2 { try await fixture.push(1) }
            let hold = try await fixture.startPushing()
            _ = try await fixture.store.cancel(1, reason: Self.reason)
            try await fixture.store.stop(hold)
            let second = try await fixture.claimOne()
            let name = try tag("sha-111111111111")
            await #expect(throws: CommitTagTaken(by: 1)) {
                try await fixture.store.startPushing(second, commitTag: name)
            }
            try await fixture.store.freeCommitTag(name, of: 1)
            try await fixture.store.startPushing(second, commitTag: name)
        }
    }

    @Test(arguments: StoreFactory.all)
    func whoWatchesOrRunsABuildIsToldOfItsStop(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            _ = try await fixture.claimOne()
            var changes = fixture.store.changes(.build(1)).makeAsyncIterator()
            var asked = fixture.store.changes(.stop(1)).makeAsyncIterator()
            _ = try await fixture.store.cancel(1, reason: Self.reason)
            #expect(await changes.next() != nil)
            #expect(await asked.next() != nil)
        }
    }
}
