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
        var ended: [Hold] = []
        var written: [Build.ID: [String]] = [:]
        var moved: [Hold] = []
        var lost = 0

        static func + (a: Seen, b: Seen) -> Seen {
            Seen(
                claimed: a.claimed + b.claimed, ended: a.ended + b.ended,
                written: a.written.merging(b.written) { $0 + $1 }, moved: a.moved + b.moved, lost: a.lost + b.lost)
        }
    }

    @Test(arguments: StoreFactory.all, [UInt64(1), 2, 3])
    func everyBuildEndsOnceWhateverHappens(_ factory: StoreFactory, seed: UInt64) async throws {
        try await Fixture.with(factory) { fixture in
            let other = try await fixture.openAgain()
            let stores = [fixture.store, other]
            for digit in 0..<30 { try await fixture.push(digit) }
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
            #expect(seen.ended.map(\.build).sorted() == Array(1...30), "a build ended twice or never")
            for build in try await fixture.store.builds(BuildQuery(limit: 100)) {
                #expect(seen.ended.contains(build.hold), "its last attempt ended it")
                #expect(build.attempt == seen.claimed.filter { $0.build == build.id }.count)
                #expect(build.state.isEnd && build.finishedAt != nil)
                #expect((build.failure != nil) == (build.state == .failed))
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
            if Bool.random(using: &randomness) { _ = try await store.rescue(all: false, tries: 9) }
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

    private static func run(
        _ build: Build, _ store: any Store, _ seen: inout Seen, _ randomness: inout Randomness
    ) async throws {
        let hold = build.hold
        for line in 0..<Int.random(in: 0...3, using: &randomness) {
            let text = "\(hold.attempt) \(line)"
            try await store.append(hold, log: Data("\(text)\n".utf8))
            seen.written[build.id, default: []].append(text)
        }
        switch Int.random(in: 0..<6, using: &randomness) {
        case 0: return try await store.giveBack(hold)
        // Forgotten: the lease runs out.
        case 1: return
        case 2:
            try await store.fail(hold, Failure(.build, .build, "no"))
            return seen.ended.append(hold)
        default: try await store.renew(hold, lease: Fixture.lease)
        }
        try await store.startPushing(hold, commitTag: tag("sha-\(build.id)"))
        try await store.pushed(hold, digest: Fixture.digest(Int(build.id)))
        if case .granted = try await store.startMoving(hold, tag: tag("latest")) {
            try await store.moved(hold, tag: tag("latest"))
            seen.moved.append(hold)
        }
        try await store.finish(hold)
        seen.ended.append(hold)
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
