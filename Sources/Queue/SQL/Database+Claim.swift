import Foundation
import Model

/// Which builds a worker takes next.
extension Database {
    func claim(limit: Int, worker: String, lease: Duration) throws -> [Build] {
        // Who was told that builds wait finds none begun later.
        try lock(shared: Self.claims)
        if limit <= 0 { return [] }
        let mayNot = try askMayNot(worker)
        let due = try DueBuilds(of: self, for: worker)
        if try mayNot.first != nil { return [] }
        var turns = try due.turns()
        var claimed: [Build.ID] = []
        var repositories: Set<String> = []
        while claimed.count < limit, let next = turns.next() {
            guard try due.isLeft([next]).isEmpty, let build = try due.free(next) else {
                turns.leaves(next)
                continue
            }
            try run(
                """
                UPDATE builds
                SET state = 'building', attempt = attempt + 1, worker = ?, lease_until = ?, started_at = ?,
                    retry_at = NULL, failure_kind = NULL, failure_stage = NULL, failure_message = NULL
                WHERE id = ?
                """, worker, now.addingTimeInterval(lease.seconds), now, build)
            claimed.append(build)
            repositories.insert(next.repository)
            if claimed.count < limit { turns.took(next, behind: try due.next(of: next.repository)) }
        }
        if claimed.isEmpty { return [] }
        try warm(worker, repositories)
        tell(claimed.map { .build($0) })
        return try builds(claimed)
    }

    /// What claims lock together, and alone who keeps workers from them.
    static let claims = "claims"

    /// - Returns: a row where nothing may be claimed.
    private func askMayNot(_ worker: String) throws -> Later<Bool> {
        try ask("SELECT 1 AS no FROM pause UNION ALL SELECT 1 FROM workers WHERE name = ? AND drained", worker) { _ in
            true
        }
    }

    func nextDue(for worker: String) throws -> Duration? {
        let mayNot = try askMayNot(worker)
        let due = try DueBuilds(of: self, for: worker)
        if try mayNot.first != nil { return nil }
        return [try due.nextLeft(), try due.nextRetry()].compactMap(\.self).min()
    }
}

/// The builds that one worker may claim.
struct DueBuilds {
    private let database: Database
    private let worker: String
    /// What is asked for that the worker has not.
    private let unfit: [String]
    private let running: Later<(String, Int)>

    init(of database: Database, for worker: String) throws {
        self.database = database
        self.worker = worker
        running = try database.ask(
            """
            SELECT repository, count(*) AS builds FROM builds INDEXED BY builds_running
            WHERE lease_until IS NOT NULL AND worker IS NOT NULL GROUP BY repository
            """
        ) { (try $0.get("repository", as: String.self), try $0.get("builds", as: Int.self)) }
        unfit = try database.labelsBeyond(worker)
    }

    /// The end of a condition on builds: no label is asked for that the worker has not.
    ///
    /// - Parameter count: how many of the statement's arguments stand before `unfit`.
    private func fits(behind count: Int) -> String {
        if unfit.isEmpty { return "" }
        let places = unfit.indices.map { "?\($0 + count + 1)" }.joined(separator: ", ")
        return "AND (runs_on IS NULL OR runs_on NOT IN (\(places)))"
    }

    /// No pause is longer than the hour that a registry may wish for; one that is is of a clock that was set back, and
    /// over.
    static func latestRetry(_ now: Date) -> Date { now.addingTimeInterval(3660) }

    /// Who waits, and how many builds of each repository run.
    func turns() throws -> FairTurns {
        var turns = FairTurns(running: Dictionary(uniqueKeysWithValues: try running.rows))
        for next in try oldest() { turns.waits(next) }
        return turns
    }

    /// How long until the first may be taken of those that are left to others for a moment; nil where none is.
    func nextLeft() throws -> Duration? {
        guard database.dialect == .postgreSQL else { return nil }
        return try isLeft(oldest()).min()
    }

    /// How long until the first of those that wait for another attempt.
    func nextRetry() throws -> Duration? {
        func waiting(_ which: String) -> String {
            """
            (SELECT \(which)(retry_at) FROM builds INDEXED BY builds_waiting
                WHERE retry_at IS NOT NULL \(fits(behind: 0)))
            """
        }
        let waiting = try database.all("SELECT \(waiting("min")) AS first, \(waiting("max")) AS last", list: unfit) {
            (first: try $0.get("first", as: Date?.self), last: try $0.get("last", as: Date?.self))
        }.first
        guard let first = waiting?.first, let last = waiting?.last else { return nil }
        let now = try database.now
        return last > Self.latestRetry(now) ? .zero : .seconds(first.timeIntervalSince(now))
    }

    /// The oldest build of a repository that is due.
    func next(of repository: String) throws -> FairTurns.Turn? {
        try oldest(from: "pending WHERE builds > 0 AND repository = ?\(unfit.count + 3)", repository).first
    }

    /// The build whose turn it is, or where another worker is taking that just now, the next of its repository; nil
    /// where others take all.
    func free(_ turn: FairTurns.Turn) throws -> Build.ID? {
        guard database.dialect == .postgreSQL else { return turn.build }
        func first(_ condition: String, _ argument: any Storable) throws -> Build.ID? {
            try database.all(
                """
                SELECT id FROM builds WHERE \(condition) AND state = 'pending' \(fits(behind: 1))
                ORDER BY id LIMIT 1 \(database.dialect.skippingLocked)
                """, list: [argument] + unfit
            ) { try $0.get("id", as: Build.ID.self) }.first
        }
        return try first("id = ?1", turn.build) ?? first("retry_at IS NULL AND repository = ?1", turn.repository)
    }

    /// For how long each of those is left to others still that is: to workers with room that have the mirror, which
    /// this one has not.
    func isLeft(_ turns: [FairTurns.Turn]) throws -> [Duration] {
        let young = turns.filter(\.isYoung).map { "\($0.build)" }
        if young.isEmpty { return [] }
        let now = try database.now
        return try database.all(
            """
            SELECT created_at FROM builds
            WHERE id = ANY (?1::bigint[])
                AND NOT EXISTS (SELECT 1 FROM worker_mirrors AS mirrors
                    WHERE mirrors.repository = builds.repository AND mirrors.worker = ?2)
                AND EXISTS (SELECT 1 FROM worker_mirrors AS mirrors JOIN workers ON workers.name = mirrors.worker
                    WHERE mirrors.repository = builds.repository AND NOT drained AND seen_at > ?3
                        AND (builds.runs_on IS NULL OR labels::jsonb @> builds.runs_on::jsonb)
                        AND slots > (SELECT count(*) FROM builds AS running WHERE running.worker = workers.name))
            """, "{\(young.joined(separator: ","))}", worker, Database.lost(now)
        ) { row in
            Database.preference - .seconds(now.timeIntervalSince(try row.get("created_at", as: Date.self)))
        }
    }

    /// Of each repository that has one that fits, the oldest build that is due.
    private func oldest() throws -> [FairTurns.Turn] {
        guard database.dialect == .postgreSQL else {
            return try oldest(from: "pending WHERE builds > 0 AND repository <> ''")
        }
        let now = try database.now
        // From one repository to the next by the index: how many are pending may be written down in many places.
        return try database.all(
            """
            WITH RECURSIVE fresh AS (
                (SELECT repository, id, created_at FROM builds WHERE state = 'pending' AND retry_at IS NULL \(fits(behind: 2))
                    ORDER BY repository, id LIMIT 1)
                UNION ALL
                SELECT next.* FROM fresh, LATERAL (
                    SELECT repository, id, created_at FROM builds
                    WHERE state = 'pending' AND retry_at IS NULL AND repository > fresh.repository \(fits(behind: 2))
                    ORDER BY repository, id LIMIT 1) AS next
            )
            SELECT DISTINCT ON (repository) repository, id, young FROM (
                SELECT repository, id, created_at > ?\(unfit.count + 3) AS young FROM fresh
                UNION ALL
                SELECT repository, min(id), false FROM builds
                WHERE state = 'pending' AND (retry_at <= ?1 OR retry_at > ?2) \(fits(behind: 2)) GROUP BY repository) AS due
            ORDER BY repository, id
            """, list: [now, Self.latestRetry(now)] + unfit + [now.addingTimeInterval(-Database.preference.seconds)]
        ) { row in
            FairTurns.Turn(
                repository: try row.get("repository"), build: try row.get("id"), isYoung: try row.get("young"))
        }
    }

    private func oldest(from pending: String, _ arguments: any Storable...) throws -> [FairTurns.Turn] {
        // As one statement: many repositories may wait.
        func oldest(_ retry: String) -> String {
            """
            (SELECT min(id) FROM builds INDEXED BY builds_due
                WHERE builds.repository = pending.repository AND state = 'pending' AND \(retry) \(fits(behind: 2)))
            """
        }
        let now = try database.now
        return try database.all(
            """
            SELECT repository, \(oldest("retry_at IS NULL")) AS new, \(oldest("retry_at <= ?1")) AS due,
                \(oldest("retry_at > ?2")) AS late
            FROM \(pending)
            """, list: [now, Self.latestRetry(now)] + unfit + arguments
        ) { row in
            let builds = try ["new", "due", "late"].compactMap { try row.get($0, as: Build.ID?.self) }
            return try builds.min().map { FairTurns.Turn(repository: try row.get("repository"), build: $0) }
        }
        .compactMap(\.self)
    }
}
