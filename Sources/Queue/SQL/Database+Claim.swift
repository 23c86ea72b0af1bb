import Foundation
import Model

/// Which builds a worker takes next.
extension Database {
    func claim(limit: Int, worker: String, lease: Duration) throws -> [Build] {
        // Who was told that builds wait finds none begun later.
        try lock(shared: Self.claims)
        guard limit > 0, try mayClaim(worker) else { return [] }
        let due = try DueBuilds(of: self, for: worker)
        var turns = try due.turns().turns
        var claimed: [Build.ID] = []
        var repositories: Set<String> = []
        while claimed.count < limit, let next = turns.next() {
            guard let build = try due.free(next) else {
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
            turns.took(next, behind: try due.next(of: next.repository))
        }
        if claimed.isEmpty { return [] }
        try warm(worker, repositories)
        tell(claimed.map { .build($0) })
        return try claimed.map(existing)
    }

    /// What claims lock together, and alone who keeps workers from them.
    static let claims = "claims"

    private func mayClaim(_ worker: String) throws -> Bool {
        try first("SELECT 1 AS no FROM pause UNION ALL SELECT 1 FROM workers WHERE name = ? AND drained", worker) { _ in
            true
        } == nil
    }

    func nextDue(for worker: String) throws -> Duration? {
        guard try mayClaim(worker) else { return nil }
        let due = try DueBuilds(of: self, for: worker)
        return [try due.turns().later, try due.nextRetry()].compactMap(\.self).min()
    }
}

/// The builds that one worker may claim.
struct DueBuilds {
    private let database: Database
    /// What is asked for that the worker has not.
    private let unfit: [String]
    private let warmElsewhere: [String: [Set<String>]]

    init(of database: Database, for worker: String) throws {
        self.database = database
        unfit = try database.labelsBeyond(worker)
        warmElsewhere = try database.warmElsewhere(worker)
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
    ///
    /// - Returns: also how long until what is left to another worker for a moment may be taken.
    func turns() throws -> (turns: FairTurns, later: Duration?) {
        let running = try database.all(
            """
            SELECT repository, count(*) AS builds FROM builds INDEXED BY builds_running
            WHERE lease_until IS NOT NULL GROUP BY repository
            """
        ) { (try $0.get("repository", as: String.self), try $0.get("builds", as: Int.self)) }
        var turns = FairTurns(running: Dictionary(uniqueKeysWithValues: running))
        var later: Duration?
        for next in try oldest("builds > 0 AND repository <> ''") {
            if let others = warmElsewhere[next.repository], let rest = try isLeft(next.build, to: others) {
                later = min(later ?? rest, rest)
            } else {
                turns.waits(next)
            }
        }
        return (turns, later)
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
        try oldest("repository = ?\(unfit.count + 3)", repository).first
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

    /// How long a build is left to workers with these labels still; nil where it is not.
    private func isLeft(_ build: Build.ID, to others: [Set<String>]) throws -> Duration? {
        let found = try database.first("SELECT created_at, runs_on FROM builds WHERE id = ?", build) {
            (
                createdAt: try $0.get("created_at", as: Date.self),
                labels: try $0.get("runs_on", as: JSON<[String]>?.self)?.content ?? []
            )
        }
        guard let found, others.contains(where: { $0.isSuperset(of: found.labels) }) else { return nil }
        let rest = Database.preference - .seconds(try database.now.timeIntervalSince(found.createdAt))
        return rest > .zero ? rest : nil
    }

    /// Of each repository among `pending` that fits, the oldest build that is due; none where there is none.
    private func oldest(_ condition: String, _ arguments: any Storable...) throws -> [FairTurns.Turn] {
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
            FROM pending WHERE \(condition)
            """, list: [now, Self.latestRetry(now)] + unfit + arguments
        ) { row in
            let builds = try ["new", "due", "late"].compactMap { try row.get($0, as: Build.ID?.self) }
            return try builds.min().map { FairTurns.Turn(repository: try row.get("repository"), build: $0) }
        }
        .compactMap(\.self)
    }
}
