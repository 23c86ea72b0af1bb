import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of workers: who is there, who is lost, and who is to take nothing.
@Suite struct StoreBehaviourWorkers {
    static func note(
        _ name: String, _ labels: Set<String> = [], slots: Int = 2, instance: String = "1"
    ) -> WorkerNote {
        WorkerNote(name: name, labels: labels, slots: slots, version: "1.2.3", instance: instance)
    }

    @Test(arguments: StoreFactory.all)
    func aWorkerIsThereFromItsFirstWordToItsLast(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            #expect(try await store.workers().isEmpty)
            let note = Self.note("w", ["gpu", "amd64"])
            let start = fixture.time.now
            #expect(try await store.checkIn(note) == WorkerOrders(isDrained: false, hasDouble: false))
            try await fixture.push(1)
            let hold = try await fixture.claimOne()
            fixture.time.advance(by: .seconds(5))
            _ = try await store.checkIn(note)
            let known = WorkerState(
                note: note, startedAt: start, seenAt: fixture.time.now, isThere: true, isDrained: false, builds: [1])
            #expect(try await store.workers() == [known])
            try await store.fail(hold, Failure(.build, .build, "no"))
            #expect(try await store.workers().map(\.builds) == [[]])
            // What it is may change while it lives.
            _ = try await store.checkIn(Self.note("w", ["arm64"], slots: 7))
            #expect(try await store.workers().map(\.note) == [Self.note("w", ["arm64"], slots: 7)])
            #expect(try await store.workers().map(\.startedAt) == [start])
            // One of its name that ended before is not this one.
            try await store.checkOut(Self.note("w", instance: "0"))
            #expect(try await store.workers().count == 1)
            try await store.checkOut(note)
            #expect(try await store.workers().isEmpty)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aNewLifeTakesTheOldOnesPlace(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            _ = try await fixture.store.checkIn(Self.note("w"))
            fixture.time.advance(by: .seconds(60))
            let orders = try await fixture.store.checkIn(Self.note("w", instance: "2"))
            #expect(orders == WorkerOrders(isDrained: false, hasDouble: false))
            #expect(try await fixture.store.workers().map(\.startedAt) == [fixture.time.now])
        }
    }

    /// Two who live tell it to each other.
    @Test(arguments: StoreFactory.all)
    func whoLivesUnderAnothersNameIsTold(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            _ = try await store.checkIn(Self.note("w", instance: "1"))
            for instance in ["2", "1", "2"] {
                fixture.time.advance(by: .seconds(5))
                #expect(try await store.checkIn(Self.note("w", instance: instance)).hasDouble)
            }
            fixture.time.advance(by: .seconds(5))
            #expect(try await store.checkIn(Self.note("w", instance: "2")).hasDouble == false)
        }
    }

    // MARK: Drain

    @Test(arguments: StoreFactory.all)
    func whoIsDrainedTakesNothingAlsoInItsNextLife(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            #expect(try await store.drain("w", true) == false)
            _ = try await store.checkIn(Self.note("w"))
            try await fixture.push(1)
            let hold = try await fixture.claimOne()
            try await fixture.push(2)
            var changes = store.changes(.pending).makeAsyncIterator()
            #expect(try await store.drain("w", true))
            #expect(await changes.next() != nil)
            #expect(try await fixture.claim(9).isEmpty)
            #expect(try await store.nextDue(for: "w") == nil)
            #expect(try await store.checkIn(Self.note("w")).isDrained)
            // What it runs is its own to end.
            try await store.retry(hold, Failure(.system, .push, "down"), after: .seconds(5))
            fixture.time.advance(by: .seconds(5))
            #expect(try await store.nextDue(for: "w") == nil)
            try await store.checkOut(Self.note("w"))
            #expect(try await store.workers().map(\.isDrained) == [true])
            #expect(try await store.checkIn(Self.note("w", instance: "2")).isDrained)
            #expect(try await fixture.claim(9).isEmpty)
            // Another is not meant.
            #expect(try await store.claim(limit: 1, worker: "v", lease: Fixture.lease).map(\.id) == [1])
            #expect(try await store.drain("w", false))
            #expect(try await store.checkIn(Self.note("w", instance: "2")).isDrained == false)
            #expect(try await fixture.claim(9).map(\.id) == [2])
        }
    }

    // MARK: Several

    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"))
    func whoIsSilentIsLostAndForgottenInTheEnd() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let store = fixture.store
            for name in ["b", "a/1", "c"] { _ = try await store.checkIn(Self.note(name)) }
            _ = try await store.drain("c", true)
            #expect(try await store.workers().map(\.note.name) == ["a/1", "b", "c"])
            fixture.time.advance(by: .seconds(19))
            _ = try await store.checkIn(Self.note("b"))
            #expect(try await store.workers().allSatisfy { $0.isThere })
            fixture.time.advance(by: .seconds(2))
            #expect(try await store.workers().map(\.isThere) == [false, true, false])
            fixture.time.advance(by: .seconds(6 * 86400))
            _ = try await store.prune(Keep(), limit: 9)
            #expect(try await store.workers().count == 3)
            fixture.time.advance(by: .seconds(86400))
            _ = try await store.prune(Keep(), limit: 9)
            #expect(try await store.workers().isEmpty)
        }
    }

    /// When somebody was told that a worker is drained, it begins nothing any more, however many claims were under way.
    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"), .timeLimit(.minutes(6)))
    func nothingBeginsAfterTheDrain() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let store = fixture.store
            _ = try await store.checkIn(Self.note("w", slots: 99))
            for digit in 0..<9 { try await fixture.push(digit) }
            for round in 0..<9 {
                async let first = fixture.claim()
                async let second = fixture.claim()
                _ = try await store.drain("w", true)
                let running = try await store.workers().flatMap(\.builds)
                _ = try await (first, second)
                #expect(try await store.workers().flatMap(\.builds) == running, "round \(round)")
                _ = try await store.drain("w", false)
            }
        }
    }
}
