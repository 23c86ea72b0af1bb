import Foundation
import Model

/// Which builds a worker takes next.
extension Database {
    func claim(limit: Int, worker: String, lease: Duration) throws -> [Build] {
        let mayNot =
            try first(
                "SELECT 1 AS no FROM pause UNION ALL SELECT 1 FROM workers WHERE name = ? AND drained", worker
            ) { _ in true } ?? false
        if mayNot || limit <= 0 { return [] }
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

    func nextDue(for worker: String) throws -> Duration? {
        let now = try now
        let retry = try first(
            """
            SELECT (SELECT min(retry_at) FROM builds INDEXED BY builds_waiting WHERE retry_at IS NOT NULL) AS first,
                (SELECT max(retry_at) FROM builds INDEXED BY builds_waiting WHERE retry_at IS NOT NULL) AS last
            """
        ) { (first: try $0.get("first", as: Date?.self), last: try $0.get("last", as: Date?.self)) }
        var due = try DueBuilds(of: self, for: worker).turns().later
        if let first = retry?.first, let last = retry?.last {
            let pause = last > DueBuilds.latestRetry(now) ? 0 : first.timeIntervalSince(now)
            due = min(due ?? .seconds(pause), .seconds(pause))
        }
        return due
    }
}

/// The builds that one worker may claim.
struct DueBuilds {
    private let database: Database
    /// A condition on builds: no label is asked for that the worker has not.
    private let fits: String
    private let unfit: [String]
    private let warmElsewhere: Set<String>

    init(of database: Database, for worker: String) throws {
        self.database = database
        unfit = try database.labelsBeyond(worker)
        // Numbered behind the two times.
        let places = unfit.indices.map { "?\($0 + 3)" }.joined(separator: ", ")
        fits = unfit.isEmpty ? "" : "AND (runs_on IS NULL OR runs_on NOT IN (\(places)))"
        warmElsewhere = try database.warmElsewhere(worker)
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
            if warmElsewhere.contains(next.repository), let rest = try isLeft(next.build) {
                later = min(later ?? rest, rest)
            } else {
                turns.waits(next)
            }
        }
        return (turns, later)
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
            let places = unfit.indices.map { "?\($0 + 2)" }.joined(separator: ", ")
            return try database.all(
                """
                SELECT id FROM builds WHERE \(condition) AND state = 'pending'
                    \(unfit.isEmpty ? "" : "AND (runs_on IS NULL OR runs_on NOT IN (\(places)))")
                ORDER BY id LIMIT 1 \(database.dialect.skippingLocked)
                """, list: [argument] + unfit
            ) { try $0.get("id", as: Build.ID.self) }.first
        }
        return try first("id = ?1", turn.build) ?? first("retry_at IS NULL AND repository = ?1", turn.repository)
    }

    /// How long a build is left to others still; nil where it is not.
    private func isLeft(_ build: Build.ID) throws -> Duration? {
        let created = try database.first("SELECT created_at FROM builds WHERE id = ?", build) {
            try $0.get("created_at", as: Date.self)
        }
        guard let created else { return nil }
        let rest = Database.preference - .seconds(try database.now.timeIntervalSince(created))
        return rest > .zero ? rest : nil
    }

    /// Of each repository among `pending` that fits, the oldest build that is due; none where there is none.
    private func oldest(_ condition: String, _ arguments: any Storable...) throws -> [FairTurns.Turn] {
        // As one statement: many repositories may wait.
        func oldest(_ retry: String) -> String {
            """
            (SELECT min(id) FROM builds INDEXED BY builds_due
                WHERE builds.repository = pending.repository AND state = 'pending' AND \(retry) \(fits))
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
