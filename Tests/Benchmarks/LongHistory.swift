import Foundation
import Model
import Platform
import Queue

/// What the queue's calls take with a long history, beside a database that is new; both on the same disk, in turns.
enum LongHistory {
    /// A list of 50 is as long with either; what is measured is what the others cost.
    private static let new = Past(ended: 400, pending: 10)
    private static let long = Past(ended: 100_000, pending: 10_000)
    private static let turns = 100

    static func measure(runs: Int) async throws -> [Table.Row] {
        let folder = FileManager.default.temporaryDirectory.path + "/slipway-bench-" + Crypto.randomBytes(4).hex
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            do {
                try FileManager.default.removeItem(atPath: folder)
            } catch {
                Benchmarks.say("\(folder) is left: \(error)")
            }
        }
        let stores = [
            try await new.store(at: folder + "/new.db"), try await long.store(at: folder + "/long.db"),
        ]
        let rows = try await measure(stores, runs: runs)
        for store in stores { await store.close() }
        return rows
    }

    private static func measure(_ stores: [DatabaseStore], runs: Int) async throws -> [Table.Row] {
        var times = [[String: [Double]]](repeating: [:], count: stores.count)
        for run in 1...runs {
            Benchmarks.say("history \(run)/\(runs)")
            for turn in 0..<turns {
                for (place, store) in stores.enumerated() {
                    var clock = Laps()
                    try await intake(store, &clock, number: run * turns + turn)
                    try await reads(store, &clock)
                    times[place].merge(clock.laps.mapValues { [$0] }) { $0 + $1 }
                }
            }
        }
        return times[0].keys.sorted().map { name in
            Table.Row(
                name: "\(long.ended) builds: \(name)", plain: Sample(times[0][name] ?? []),
                slipway: Sample(times[1][name] ?? []), unit: .microseconds, target: .ratio(1.5))
        }
    }

    /// A push comes in, and the oldest build that is due goes out.
    private static func intake(_ store: DatabaseStore, _ clock: inout Laps, number: Int) async throws {
        let delivery = try Past.delivery(repository: 1, commit: 10_000_000 + number, before: 20_000_000 + number)
        let room = Room(inAll: 1_000_000, perRepository: 1_000_000)
        _ = try await clock.time("accept one push") { try await store.accept([delivery], room: room) }
        let claimed = try await clock.time("claim one build") {
            try await store.claim(limit: 1, worker: "bench", lease: .seconds(60))
        }
        for build in claimed { try await store.fail(build.hold, Failure(.build, .build, "no")) }
        _ = try await clock.time("look for lost attempts") { try await store.rescue(all: false, tries: 6) }
        _ = try await clock.time("look for what is due") { try await store.nextDue(for: "w") }
    }

    /// What `slipway status` asks.
    private static func reads(_ store: DatabaseStore, _ clock: inout Laps) async throws {
        let (large, few) = (try Past.repository(1), try Past.few())
        let main = try RefName("refs/heads/main")
        let queries: [(String, BuildQuery)] = [
            ("status, newest 50", BuildQuery()),
            ("status, 50 failed", BuildQuery(states: [.failed])),
            ("status, 50 finished or failed", BuildQuery(states: [.finished, .failed])),
            ("status, 50 failed of repository", BuildQuery(repository: large, states: [.failed])),
            ("status, none running", BuildQuery(states: [.building, .pushing])),
            ("status, repository with 5", BuildQuery(repository: few)),
            ("status, none running of repository", BuildQuery(repository: large, states: [.building, .pushing])),
            ("status, 50 of branch", BuildQuery(repository: large, ref: main)),
            ("status, none of branch", BuildQuery(repository: large, ref: try RefName("refs/heads/none"))),
        ]
        for (name, query) in queries {
            _ = try await clock.time(name) { try await store.builds(query) }
        }
        _ = try await clock.time("status, one build") { try await store.build(200) }
        _ = try await clock.time("status, log of a build") { try await store.log(200, offset: 0, limit: 65_536) }
        _ = try await clock.time("how many wait and run") { try await store.load() }
    }

    private struct Laps {
        private(set) var laps: [String: Double] = [:]

        mutating func time<Result>(_ name: String, _ body: () async throws -> Result) async rethrows -> Result {
            let start = ContinuousClock.now
            let result = try await body()
            laps[name] = seconds(since: start)
            return result
        }
    }
}
