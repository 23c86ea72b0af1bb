import Foundation
import Model
import Queue
import TestSupport
import Testing

/// Many workers at once, doing anything that a worker may do, and a rescuer and a clock that do not wait for them.
@Suite struct StoreBehaviourAtRandom {
    /// What one worker saw succeed.
    private struct Seen {
        var claimed: [Hold] = []
        /// The ends that attempts brought about; others came of what somebody asked for.
        var ended: [Hold: Build.State] = [:]
        /// Builds that were seen after their end.
        var after: [Build] = []
        var written: [Build.ID: [String]] = [:]
        var moved: [Hold] = []
        var lost = 0

        static func + (a: Seen, b: Seen) -> Seen {
            Seen(
                claimed: a.claimed + b.claimed, ended: a.ended.merging(b.ended) { first, _ in first },
                after: a.after + b.after, written: a.written.merging(b.written) { $0 + $1 }, moved: a.moved + b.moved,
                lost: a.lost + b.lost)
        }
    }

    @Test(arguments: StoreFactory.all, [UInt64(1), 2, 3])
    func everyBuildEndsOnceWhateverHappens(_ factory: StoreFactory, seed: UInt64) async throws {
        try await Fixture.with(factory) { fixture in
            let other = try await fixture.openAgain()
            let stores = [fixture.store, other]
            for digit in 0..<30 {
                var rule = Fixture.rule()
                rule.cancelRunning = digit % 2 == 0
                try await fixture.push(digit, rule: rule)
            }
            let seen = try await withThrowingTaskGroup(of: Seen.self) { group in
                for worker in 0..<6 {
                    group.addTask {
                        try await Self.work(
                            stores[worker % 2], worker, fixture.time, Randomness(seed: seed * 100 + UInt64(worker)))
                    }
                }
                return try await group.reduce(Seen()) { $0 + $1 }
            }
            await other.close()

            #expect(try await fixture.store.load() == QueueLoad(pending: 0, running: 0))
            #expect(Set(seen.claimed).count == seen.claimed.count, "an attempt was claimed twice")
            #expect(Set(seen.ended.keys.map(\.build)).count == seen.ended.count, "a build ended twice")
            let builds = try await fixture.store.builds(BuildQuery(limit: 100))
            #expect(builds.count == 30)
            for build in seen.after { #expect(builds[30 - Int(build.id)] == build, "an end is the last change") }
            for build in builds {
                #expect(build.state.isEnd && build.finishedAt != nil && build.stop == nil && build.retryAt == nil)
                #expect(build.attempt == seen.claimed.filter { $0.build == build.id }.count)
                #expect((build.failure != nil) == (build.state == .failed))
                #expect((build.successor != nil) == (build.state == .superseded))
                #expect((build.reason != nil) == [.cancelled, .superseded].contains(build.state))
                if let state = seen.ended[build.hold] {
                    #expect(build.state == state, "its last attempt ended it")
                } else {
                    #expect(build.reason != nil, "else somebody asked for its end")
                    #expect(!seen.ended.keys.contains { $0.build == build.id })
                }
                // Each piece is there whole and once.
                let log = try await fixture.store.log(build.id, offset: 0, limit: Int.max)
                let pieces = String(decoding: log, as: UTF8.self).split(separator: "\n").map(String.init)
                #expect(pieces.sorted() == (seen.written[build.id] ?? []).sorted())
                #expect(try await fixture.store.logLength(build.id) == log.count)
            }
            if let holder = try await fixture.store.tag(tag("latest"), of: Fixture.image) {
                #expect(seen.moved.contains { $0.build == holder.build })
            } else {
                #expect(seen.moved.isEmpty)
            }
        }
    }

    /// Works until nothing is pending or running any more.
    private static func work(
        _ store: any Store, _ worker: Int, _ time: ManualTime, _ randomness: Randomness
    ) async throws -> Seen {
        var randomness = randomness
        var seen = Seen()
        while try await store.load() != QueueLoad(pending: 0, running: 0) {
            time.advance(by: .seconds(Int.random(in: 0...20, using: &randomness)))
            if Bool.random(using: &randomness) { _ = try await store.rescue(all: false, tries: 999) }
            try await ask(store, time, &seen, &randomness)
            for build in try await store.claim(
                limit: Int.random(in: 1...3, using: &randomness), worker: "w\(worker)", lease: Fixture.lease)
            {
                seen.claimed.append(build.hold)
                do {
                    try await run(build, store, &seen, &randomness)
                } catch is LeaseLost {
                    seen.lost += 1
                }
            }
        }
        return seen
    }

    /// What others than workers may ask for, seldom enough that builds also end by themselves.
    private static func ask(
        _ store: any Store, _ time: ManualTime, _ seen: inout Seen, _ randomness: inout Randomness
    ) async throws {
        let id = Build.ID.random(in: 1...30, using: &randomness)
        switch Int.random(in: 0..<12, using: &randomness) {
        case 0: _ = try await store.cancel(id, reason: "by ops")
        case 1 where id < 30:
            try await store.supersede([id], by: Build.ID.random(in: (id + 1)...30, using: &randomness))
        case 2:
            try await store.pause(Pause(since: time.now))
            time.advance(by: .seconds(5))
            _ = try await store.resume()
        default: break
        }
        if let build = try await store.build(id), build.state.isEnd { seen.after.append(build) }
    }

    private static func run(
        _ build: Build, _ store: any Store, _ seen: inout Seen, _ randomness: inout Randomness
    ) async throws {
        let hold = build.hold
        for line in 0..<Int.random(in: 0...3, using: &randomness) {
            let text = "\(hold.attempt) \(line)"
            try await store.append(hold, log: Data("\(text)\n".utf8))
            seen.written[build.id, default: []].append(text)
        }
        switch Int.random(in: 0..<8, using: &randomness) {
        case 0: return try await store.giveBack(hold)
        // Forgotten: the lease runs out.
        case 1: return
        case 2:
            try await store.fail(hold, Failure(.build, .build, "no"))
            return seen.ended[hold] = .failed
        case 3:
            let pause = Duration.seconds(Int.random(in: 0...90, using: &randomness))
            return try await store.retry(hold, Failure(.system, .build, "down"), after: pause)
        default: try await store.renew(hold, lease: Fixture.lease)
        }
        // As a worker does that looks whether it is to stop.
        if let stop = try await store.build(build.id)?.stop {
            try await store.stop(hold)
            return seen.ended[hold] = stop
        }
        try await store.startPushing(hold, commitTag: tag("sha-\(build.id)"))
        try await store.pushed(hold, digest: Fixture.digest(Int(build.id)))
        if case .granted = try await store.startMoving(hold, tag: tag("latest")) {
            try await store.moved(hold, tag: tag("latest"))
            seen.moved.append(hold)
        }
        if Int.random(in: 0..<6, using: &randomness) == 0 {
            return try await store.retry(hold, Failure(.system, .tag, "down"), after: .seconds(30))
        }
        try await store.finish(hold)
        seen.ended[hold] = .finished
    }
}

/// The same numbers for the same seed (SplitMix64).
struct Randomness: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
