import Foundation
import Model

/// The changes of a build's state. Each is guarded by the build's number, its state and the attempt, which no other
/// attempt shares: zero rows changed mean that the attempt no longer holds the build.
extension Database {
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

    /// No lease lasts so long; one that does is of a clock that was set back.
    private static func latestLease(_ now: Date) -> Date { now.addingTimeInterval(600) }

    /// - Parameters:
    ///   - all: every running build; else those whose lease ran out.
    ///   - tries: with so many a build is not tried again.
    func rescue(all: Bool, tries: Int) throws -> [Build.ID] {
        let lost = try self.all(
            """
            SELECT id, attempt, attempt - excused AS tries FROM builds INDEXED BY builds_running
            WHERE lease_until IS NOT NULL AND worker IS NOT NULL AND (?1 OR lease_until < ?2 OR lease_until > ?3)
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
