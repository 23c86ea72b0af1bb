import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of attempts after failures, on every kind of database.
@Suite struct StoreBehaviourAttempts {
    private static let failure = Failure(.system, .push, "the registry answered 503")

    @Test(arguments: StoreFactory.all, [false, true])
    func aBuildToRetryKeepsItsFailureAndCountsItsTries(_ factory: StoreFactory, whilePushing: Bool) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let first = whilePushing ? try await fixture.pushImage() : try await fixture.claimOne()
            #expect(try await fixture.build(1).tries == 1)
            try await fixture.store.retry(first, Self.failure, after: .seconds(40))
            let waiting = try await fixture.build(1)
            #expect(waiting.state == .pending && waiting.failure == Self.failure && waiting.tries == 1)
            #expect(waiting.retryAt == fixture.time.now.addingTimeInterval(40))
            #expect(waiting.startedAt == nil && waiting.pushingAt == nil)
            #expect(waiting.finishedAt == nil && waiting.attempt == 1)
            await fixture.expectLost(first) { try await $0.retry(first, Self.failure, after: .zero) }

            fixture.time.advance(by: .seconds(40))
            let second = try #require(try await fixture.claim().first)
            #expect(second.attempt == 2 && second.tries == 2 && second.failure == nil && second.retryAt == nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aBuildGivenBackIsNotTried(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            try await fixture.store.retry(fixture.claimOne(), Self.failure, after: .zero)
            for attempt in 2...4 {
                let hold = try await fixture.claimOne()
                #expect(hold.attempt == attempt)
                #expect(try await fixture.build(1).tries == 2)
                try await fixture.store.giveBack(hold)
                #expect(try await fixture.build(1).tries == 1)
            }
        }
    }

    @Test(arguments: StoreFactory.all)
    func claimTakesWhatIsDueOldestFirst(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for digit in 1...4 { try await fixture.push(digit) }
            let holds = try await fixture.claim(3).map(\.hold)
            for (hold, pause) in zip(holds, [20, 10, 30]) {
                try await fixture.store.retry(hold, Self.failure, after: .seconds(pause))
            }
            let start = fixture.time.now
            #expect(
                try await fixture.store.nextDue(for: "w")
                    == .seconds(start.addingTimeInterval(10).timeIntervalSince(fixture.time.now)))
            #expect(try await fixture.claim(9).map(\.id) == [4])
            fixture.time.advance(by: .milliseconds(9999))
            #expect(try await fixture.claim(9).isEmpty)
            fixture.time.advance(by: .milliseconds(1))
            #expect(try await fixture.claim(9).map(\.id) == [2])
            #expect(
                try await fixture.store.nextDue(for: "w")
                    == .seconds(start.addingTimeInterval(20).timeIntervalSince(fixture.time.now)))
            try await fixture.push(5)
            fixture.time.advance(by: .seconds(20))
            // What waited for another attempt, and what waits for its first, in one order.
            #expect(try await fixture.claim(2).map(\.id) == [1, 3])
            #expect(try await fixture.store.nextDue(for: "w") == nil)
            #expect(try await fixture.claim(2).map(\.id) == [5])
        }
    }

    @Test(arguments: StoreFactory.all)
    func aClockSetBackDoesNotKeepABuildForMoreThanAnHour(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            try await fixture.store.retry(fixture.claimOne(), Self.failure, after: .seconds(60))
            // Back to little more than an hour before it is due, and then a little more.
            fixture.time.advance(by: .seconds(60 - 3660))
            #expect(try await fixture.store.nextDue(for: "w") == .seconds(3660))
            #expect(try await fixture.claim().isEmpty)
            fixture.time.advance(by: .milliseconds(-1))
            #expect(try await fixture.store.nextDue(for: "w") == .zero)
            #expect(try await fixture.claim().map(\.id) == [1])
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatAnAttemptBuiltIsThereForTheNext(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let first = try await fixture.claimOne()
            try await fixture.store.startPushing(first, commitTag: tag("sha-111111111111"), built: "slipway/1:1")
            try await fixture.store.retry(first, Self.failure, after: .zero)
            #expect(try await fixture.build(1).built == "slipway/1:1")
            let second = try #require(try await fixture.claim().first)
            #expect(second.built == "slipway/1:1")
            try await fixture.store.startPushing(second.hold, commitTag: tag("sha-111111111111"))
            #expect(try await fixture.build(1).built == "slipway/1:1")
            try await fixture.store.retry(second.hold, Self.failure, after: .zero)
            let third = try await fixture.claimOne()
            try await fixture.store.startPushing(third, commitTag: tag("sha-111111111111"), built: "slipway/1:2")
            #expect(try await fixture.build(1).built == "slipway/1:2")
        }
    }

    @Test(arguments: StoreFactory.all)
    func aBuildWhoseWorkersAreLostTooOftenFails(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            try await fixture.store.giveBack(fixture.claimOne())
            for tries in 1...2 {
                #expect(try await fixture.claim().map(\.tries) == [tries])
                fixture.time.advance(by: .seconds(61))
                #expect(try await fixture.store.rescue(all: false, tries: 2) == [1])
                #expect(try await fixture.build(1).state == (tries < 2 ? .pending : .failed))
            }
            let build = try await fixture.build(1)
            #expect(build.failure?.kind == .system && build.finishedAt == fixture.time.now)
            #expect(build.failure?.message == "its worker was lost 2 times; `slipway retry` tries again")
            #expect(try await fixture.claim(9).isEmpty)
        }
    }

    @Test(arguments: StoreFactory.all, [false, true])
    func aRescuedBuildWaitsForNothing(_ factory: StoreFactory, all: Bool) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            _ = try await fixture.pushImage()
            fixture.time.advance(by: .seconds(61))
            #expect(try await fixture.store.rescue(all: all, tries: 2) == [1])
            let build = try await fixture.build(1)
            #expect(build.state == .pending && build.tries == 1 && build.retryAt == nil && build.failure == nil)
            #expect(try await fixture.claim().map(\.tries) == [2])
        }
    }
}
