import CSQLite
import Foundation
import Model
import Platform
import Queue
import TestSupport

/// What a claim takes out of 100,000 builds that wait, with 1,000,000 behind them: on PostgreSQL, beside SQLite, in turns.
struct FullQueue: Sendable {
    private static let ended = 1_000_000
    private static let pending = 100_000
    private static let turns = 300

    let folder: Ground.Folder

    func measure(runs: Int) async throws -> [Table.Row] {
        let server = try await PostgreSQLServer(settings: ["shared_buffers=512MB"])
        var rows: [Table.Row] = []
        for repositories in [50, 1] {
            Benchmarks.say("claims: \(Self.ended) builds behind, \(Self.pending) wait, \(repositories) repositories")
            let database = "claims-\(repositories)"
            let stores = [try await sqlite(repositories), try await postgreSQL(repositories, server, database)]
            let times = try await measure(stores, repositories, runs: runs)
            for store in stores { await store.close() }
            try await server.drop(database)
            rows += times[0].keys.sorted().flatMap { name -> [Table.Row] in
                [("p50", 0.5), ("p99", 0.99)].map { word, share in
                    func sample(_ place: Int) -> Sample {
                        Sample((times[place][name] ?? []).map { $0.quantile(share) })
                    }
                    let where_ = repositories == 1 ? "one repository" : "\(repositories) repositories"
                    return Table.Row(
                        name: "full queue, \(where_) (beside it: SQLite): \(name), \(word)", plain: sample(0),
                        slipway: sample(1), unit: .microseconds)
                }
            }
        }
        await server.stop()
        return rows
    }

    /// - Returns: for each store, by the name of what was timed, the times of each run.
    private func measure(
        _ stores: [DatabaseStore], _ repositories: Int, runs: Int
    ) async throws -> [[String: [Sample]]] {
        var results = [[String: [Sample]]](repeating: [:], count: stores.count)
        for run in 1...runs {
            Benchmarks.say("claims \(run)/\(runs)")
            var times = [[String: [Double]]](repeating: [:], count: stores.count)
            for turn in 0..<Self.turns {
                let number = run * Self.turns + turn
                for (place, store) in stores.enumerated() {
                    try await Self.turn(store, repository: number % repositories, number) {
                        times[place][$0, default: []].append($1)
                    }
                }
            }
            for place in stores.indices {
                for (name, values) in times[place] { results[place][name, default: []].append(Sample(values)) }
            }
        }
        return results
    }

    private static func turn(
        _ store: DatabaseStore, repository: Int, _ number: Int, _ took: (String, Double) -> Void
    ) async throws {
        let delivery = try Past.delivery(
            repository: repository, commit: 10_000_000 + number, before: 20_000_000 + number)
        var start = ContinuousClock.now
        _ = try await store.accept([delivery], room: Room())
        took("accept", seconds(since: start))
        start = .now
        let claimed = try await store.claim(limit: 1, worker: "bench", lease: .seconds(60))
        took("claim", seconds(since: start))
        start = .now
        _ = try await store.nextDue(for: "bench")
        took("look for what is due", seconds(since: start))
        guard let build = claimed.first else {
            throw SlipwayRun.Failed(description: "nothing was claimed out of a full queue")
        }
        try await store.fail(build.hold, Failure(.build, .build, "no"))
    }

    // MARK: Filling

    private func postgreSQL(
        _ repositories: Int, _ server: PostgreSQLServer, _ database: String
    ) async throws -> DatabaseStore {
        let address = PostgreSQLAddress(url: try await server.database(database))
        let store = try await DatabaseStore.open(postgreSQL: address)
        try await begin(store)
        let hash = "lpad(to_hex((i * 2654435761) % 4294967296), 8, '0') || lpad(to_hex(i), 32, '0')"
        let numbers = { (count: Int) in "SELECT i, \(hash) AS hash FROM generate_series(1, \(count)::bigint) AS i" }
        try await server.sql(
            """
            SET session_replication_role = replica;
            SET synchronous_commit = off;
            \(Self.fill(numbers, repositories))
            DELETE FROM pending_counts;
            INSERT INTO pending_counts SELECT repository, 0, count(*) FROM builds WHERE state = 'pending' GROUP BY 1;
            INSERT INTO pending_counts SELECT '', 0, sum(builds) FROM pending_counts;
            """, in: database)
        // As it does by itself in a while.
        try await server.sql("VACUUM ANALYZE", in: database)
        try await server.sql("CHECKPOINT")
        return store
    }

    private func sqlite(_ repositories: Int) async throws -> DatabaseStore {
        let path = try folder.room("claims") + "/slipway.sqlite"
        let store = try await DatabaseStore.open(sqlite: path, time: SystemTime())
        try await begin(store)
        await store.close()
        let hash = "printf('%08x%032x', (i * 2654435761) % 4294967296, i)"
        let numbers = { (count: Int) in
            """
            SELECT i, \(hash) AS hash FROM (
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count)) SELECT i FROM n)
            """
        }
        try Self.script(
            """
            PRAGMA synchronous = OFF;
            BEGIN;
            \(Self.fill(numbers, repositories))
            DELETE FROM pending;
            INSERT INTO pending SELECT repository, count(*) FROM builds WHERE state = 'pending' GROUP BY 1;
            INSERT INTO pending SELECT '', sum(builds) FROM pending;
            COMMIT;
            """, on: path)
        return try await DatabaseStore.open(sqlite: path, time: SystemTime())
    }

    /// The build that all others are made of.
    private func begin(_ store: DatabaseStore) async throws {
        _ = try await store.accept(
            [Past.delivery(repository: 0, commit: 30_000_000, before: 40_000_000)], room: Room())
    }

    /// - Parameter numbers: a query for so many numbers and a hash of each.
    private static func fill(_ numbers: (Int) -> String, _ repositories: Int) -> String {
        func insert(_ count: Int, ended: Bool) -> String {
            let values = [
                ("repository", "'bench/shop-' || (i % \(repositories))"),
                ("image", "'registry.example.com/bench/shop-' || (i % \(repositories))"),
                ("state", ended ? "CASE WHEN i % 4 = 0 THEN 'failed' ELSE 'finished' END" : "'pending'"),
                (#""commit""#, "hash"), ("commit_tag", "'sha-' || substr(hash, 1, 12)"),
                ("digest", ended ? "'sha256:' || hash || substr(hash, 1, 24)" : "NULL"),
                ("attempt", ended ? "1" : "0"), ("started_at", ended ? "created_at" : "NULL"),
                ("pushing_at", ended ? "created_at" : "NULL"), ("finished_at", ended ? "created_at" : "NULL"),
                ("failure_kind", ended ? "CASE WHEN i % 4 = 0 THEN 'build' END" : "NULL"),
                ("failure_stage", ended ? "CASE WHEN i % 4 = 0 THEN 'build' END" : "NULL"),
                ("failure_message", ended ? "CASE WHEN i % 4 = 0 THEN 'it did not compile' END" : "NULL"),
            ]
            let same = "ref, message, author, rule, captures, cause_kind, cause_host, created_at"
            return """
                INSERT INTO builds (\(values.map(\.0).joined(separator: ", ")), \(same))
                SELECT \(values.map(\.1).joined(separator: ", ")), \(same)
                FROM (\(numbers(count))) AS numbers CROSS JOIN (SELECT \(same) FROM builds WHERE id = 1) AS one;
                """
        }
        return insert(Self.ended, ended: true) + "\n" + insert(Self.pending, ended: false) + """

            INSERT INTO build_tags (build, position, name) SELECT id, 0, 'latest' FROM builds WHERE id > 1;
            """
    }

    private static func script(_ sql: String, on path: String) throws {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK,
            sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK
        else { throw SlipwayRun.Failed(description: "SQLite: \(String(cString: sqlite3_errmsg(handle)))") }
    }
}
