import Foundation
import Model

/// The changes of a build's state. Each is guarded by the build's number, its state and the attempt, which no other
/// attempt shares: zero rows changed mean that the attempt no longer holds the build.
extension Database {
    func claim(limit: Int, worker: String, lease: Duration) throws -> [Build] {
        let isPaused = try first("SELECT 1 AS paused FROM pause") { _ in true } ?? false
        if isPaused || limit <= 0 { return [] }
        var turns = try turns()
        var claimed: [Build.ID] = []
        while claimed.count < limit, let next = turns.next() {
            guard let build = try free(next) else {
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
            turns.took(next, behind: try oldestDue("repository = ?3", next.repository).first)
        }
        tell(claimed.map { .build($0) })
        return try claimed.map(existing)
    }

    /// The build whose turn it is, or where another worker is taking that just now, the next of its repository; nil
    /// where others take all.
    private func free(_ turn: FairTurns.Turn) throws -> Build.ID? {
        guard dialect == .postgreSQL else { return turn.build }
        func first(_ condition: String, _ argument: any Storable) throws -> Build.ID? {
            try self.first(
                """
                SELECT id FROM builds WHERE \(condition) AND state = 'pending' ORDER BY id LIMIT 1
                \(dialect.skippingLocked)
                """, argument
            ) { try $0.get("id") }
        }
        return try first("id = ?", turn.build) ?? first("retry_at IS NULL AND repository = ?", turn.repository)
    }

    /// Who waits, and how many builds of each repository run.
    private func turns() throws -> FairTurns {
        let running = try all(
            """
            SELECT repository, count(*) AS builds FROM builds INDEXED BY builds_running
            WHERE lease_until IS NOT NULL GROUP BY repository
            """
        ) { (try $0.get("repository", as: String.self), try $0.get("builds", as: Int.self)) }
        var turns = FairTurns(running: Dictionary(uniqueKeysWithValues: running))
        for next in try oldestDue("builds > 0 AND repository <> ''") { turns.waits(next) }
        return turns
    }

    /// Of each repository among `pending` that fits, the oldest build that is due; none where there is none.
    private func oldestDue(_ condition: String, _ arguments: any Storable...) throws -> [FairTurns.Turn] {
        // As one statement: many repositories may wait.
        func oldest(_ retry: String) -> String {
            """
            (SELECT min(id) FROM builds INDEXED BY builds_due
                WHERE builds.repository = pending.repository AND state = 'pending' AND \(retry))
            """
        }
        return try all(
            """
            SELECT repository, \(oldest("retry_at IS NULL")) AS new, \(oldest("retry_at <= ?1")) AS due,
                \(oldest("retry_at > ?2")) AS late
            FROM pending WHERE \(condition)
            """, list: [now, Self.latestRetry(now)] + arguments
        ) { row in
            let builds = try ["new", "due", "late"].compactMap { try row.get($0, as: Build.ID?.self) }
            return try builds.min().map { FairTurns.Turn(repository: try row.get("repository"), build: $0) }
        }
        .compactMap(\.self)
    }

    /// No pause is longer than the hour that a registry may wish for; one that is is of a clock that was set back, and
    /// over.
    private static func latestRetry(_ now: Date) -> Date { now.addingTimeInterval(3660) }

    /// No lease lasts so long; one that does is of a clock that was set back.
    private static func latestLease(_ now: Date) -> Date { now.addingTimeInterval(600) }

    func nextDue() throws -> Duration? {
        let due = try first(
            """
            SELECT (SELECT min(retry_at) FROM builds INDEXED BY builds_waiting WHERE retry_at IS NOT NULL) AS first,
                (SELECT max(retry_at) FROM builds INDEXED BY builds_waiting WHERE retry_at IS NOT NULL) AS last
            """
        ) { (first: try $0.get("first", as: Date?.self), last: try $0.get("last", as: Date?.self)) }
        guard let first = due?.first, let last = due?.last else { return nil }
        return .seconds(last > Self.latestRetry(try now) ? 0 : first.timeIntervalSince(try now))
    }

    func renew(_ hold: Hold, lease: Duration) throws {
        try guarded(hold) {
            try count(
                """
                UPDATE builds SET lease_until = ?
                WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ?
                """, now.addingTimeInterval(lease.seconds), hold.build, hold.attempt)
        }
    }

    func resolve(_ hold: Hold, _ found: Resolution) throws {
        try guarded(hold) {
            try count(
                """
                UPDATE builds SET "commit" = ?, message = ?, author = ?, commit_tag = ?
                WHERE id = ? AND state = 'building' AND attempt = ?
                """, found.commit, found.message, found.author, found.names.commitTag, hold.build, hold.attempt)
        }
        try run("DELETE FROM build_tags WHERE build = ?", hold.build)
        try insert(found.names.tags, of: hold.build)
    }

    func startPushing(
        _ hold: Hold, commitTag: Tag, built: String?, reusing reused: Build.ID?
    ) throws {
        try guarded(hold) {
            try count(
                """
                UPDATE builds SET state = 'pushing', commit_tag = ?1, pushing_at = ?2, reused = ?3,
                    built = coalesce(?6, built),
                    made_at = CASE WHEN ?3 IS NULL THEN ?2 ELSE (SELECT made_at FROM builds WHERE id = ?3) END
                WHERE id = ?4 AND state = 'building' AND attempt = ?5 AND "commit" IS NOT NULL
                """, commitTag, now, reused, hold.build, hold.attempt, built)
        }
        try takeCommitTag(commitTag, build: hold.build)
        let owner = try commitTagOwner(commitTag, of: hold.build)
        if let owner, owner != hold.build, try reused.map({ try !names(owner, imageOf: $0) }) ?? true {
            throw CommitTagTaken(by: owner)
        }
    }

    func pushed(_ hold: Hold, digest: Digest) throws {
        try guarded(hold) {
            try count(
                "UPDATE builds SET digest = ? WHERE id = ? AND state = 'pushing' AND attempt = ?",
                digest, hold.build, hold.attempt)
        }
    }

    func finish(_ hold: Hold, log: Data) throws {
        if !log.isEmpty, try !append(hold, log: log) { throw LeaseLost(hold, operation) }
        try guarded(hold) {
            try count(
                """
                UPDATE builds SET state = 'finished', worker = NULL, lease_until = NULL, finished_at = ?, stop = NULL,
                    successor = NULL, reason = NULL
                WHERE id = ? AND state = 'pushing' AND attempt = ? AND digest IS NOT NULL
                """, now, hold.build, hold.attempt)
        }
        try endMoves(of: hold.build)
    }

    func fail(_ hold: Hold, _ failure: Failure) throws {
        try guarded(hold) {
            try count(
                """
                UPDATE builds SET state = 'failed', worker = NULL, lease_until = NULL, finished_at = ?, stop = NULL,
                    successor = NULL, reason = NULL,
                    failure_kind = ?, failure_stage = ?, failure_message = ?
                WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ?
                """, now, failure.kind, failure.stage, failure.message, hold.build, hold.attempt)
        }
        try endMoves(of: hold.build)
    }

    func skip(_ hold: Hold, reason: String) throws {
        try guarded(hold) {
            try count(
                """
                UPDATE builds SET state = 'cancelled', worker = NULL, lease_until = NULL, finished_at = ?, stop = NULL,
                    successor = NULL, reason = ?
                WHERE id = ? AND state = 'building' AND attempt = ?
                """, now, reason, hold.build, hold.attempt)
        }
        try endMoves(of: hold.build)
    }

    func retry(_ hold: Hold, _ failure: Failure, after pause: Duration) throws {
        if try stops(hold) { return }
        try guarded(hold) {
            try count(
                """
                UPDATE builds SET state = 'pending', worker = NULL, lease_until = NULL, started_at = NULL,
                    pushing_at = NULL, retry_at = ?, failure_kind = ?, failure_stage = ?,
                    failure_message = ?
                WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ?
                """, now.addingTimeInterval(pause.seconds), failure.kind, failure.stage, failure.message, hold.build,
                hold.attempt)
        }
        try forgetAttempt(of: hold.build)
    }

    func giveBack(_ hold: Hold) throws {
        if try stops(hold) { return }
        try guarded(hold) {
            try count(
                """
                UPDATE builds SET state = 'pending', excused = excused + 1, worker = NULL, lease_until = NULL,
                    started_at = NULL, pushing_at = NULL
                WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ?
                """, hold.build, hold.attempt)
        }
        try forgetAttempt(of: hold.build)
    }

    /// - Parameters:
    ///   - all: every running build; else those whose lease ran out.
    ///   - tries: with so many a build is not tried again.
    func rescue(all: Bool, tries: Int) throws -> [Build.ID] {
        let lost = try self.all(
            """
            SELECT id, attempt, attempt - excused AS tries FROM builds INDEXED BY builds_running
            WHERE lease_until IS NOT NULL AND (?1 OR lease_until < ?2 OR lease_until > ?3)
            ORDER BY id \(dialect.skippingLocked)
            """, all, now, Self.latestLease(now)
        ) { (Hold(build: try $0.get("id"), attempt: try $0.get("attempt")), try $0.get("tries", as: Int.self)) }
        for (hold, tried) in lost {
            if try stops(hold) { continue }
            if tried >= tries {
                try fail(
                    hold, Failure(.system, .build, "its worker was lost \(tried) times; `slipway retry` tries again"))
            } else {
                try run(
                    """
                    UPDATE builds SET state = 'pending', worker = NULL, lease_until = NULL,
                        started_at = NULL, pushing_at = NULL
                    WHERE id = ?
                    """, hold.build)
                try forgetAttempt(of: hold.build)
            }
        }
        if all { try endRepairs() }
        let builds = lost.map(\.0.build)
        if !builds.isEmpty { tell(builds.map { .build($0) } + [.pending]) }
        return builds
    }

    /// The next attempt may push another digest, so it moves every name anew. Its commit tag stays the build's.
    private func forgetAttempt(of build: Build.ID) throws {
        try resetTags(of: build)
        try endMoves(of: build)
    }

    private func resetTags(of build: Build.ID) throws {
        try run("UPDATE build_tags SET moved = FALSE, reason = NULL WHERE build = ?", build)
    }

    /// - Throws: `LeaseLost` where `change` changed no row.
    func guarded(_ hold: Hold, _ change: () throws -> Int) throws {
        if try change() == 0 { throw LeaseLost(hold, operation) }
    }
}
