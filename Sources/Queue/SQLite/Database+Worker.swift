import Foundation
import Model

/// The changes of a build's state. Each is guarded by the build's number, its state and the attempt, which no other
/// attempt shares: zero rows changed mean that the attempt no longer holds the build.
extension Database {
    func claim(limit: Int, worker: String, until: Date, now: Date) throws -> [Build] {
        let claimed = try all(
            """
            UPDATE builds
            SET state = 'building', attempt = attempt + 1, worker = ?, lease_until = ?, started_at = ?
            WHERE id IN (SELECT id FROM builds WHERE state = 'pending' ORDER BY id LIMIT ?)
            RETURNING id
            """, worker, until, now, max(0, limit)
        ) { try $0.get("id", as: Build.ID.self) }
        // RETURNING has no order of its own ("The RETURNING Clause", 3).
        return try claimed.sorted().map(existing)
    }

    func renew(_ hold: Hold, until: Date) throws {
        try guarded(hold) {
            try run(
                """
                UPDATE builds SET lease_until = ?
                WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ?
                """, until, hold.build, hold.attempt)
        }
    }

    func resolve(_ hold: Hold, _ found: Resolution) throws {
        try guarded(hold) {
            try run(
                """
                UPDATE builds SET "commit" = ?, message = ?, author = ?, commit_tag = ?
                WHERE id = ? AND state = 'building' AND attempt = ?
                """, found.commit, found.message, found.author, found.names.commitTag, hold.build, hold.attempt)
        }
        try run("DELETE FROM build_tags WHERE build = ?", hold.build)
        try insert(found.names.tags, of: hold.build)
    }

    func startPushing(_ hold: Hold, commitTag: Tag, now: Date) throws {
        try guarded(hold) {
            try run(
                """
                UPDATE builds SET state = 'pushing', commit_tag = ?, pushing_at = ?
                WHERE id = ? AND state = 'building' AND attempt = ? AND "commit" IS NOT NULL
                """, commitTag, now, hold.build, hold.attempt)
        }
        try takeCommitTag(commitTag, build: hold.build)
        let owner = try commitTagOwner(commitTag, of: hold.build)
        if let owner, owner != hold.build { throw CommitTagTaken(by: owner) }
    }

    func pushed(_ hold: Hold, digest: Digest) throws {
        try guarded(hold) {
            try run(
                "UPDATE builds SET digest = ? WHERE id = ? AND state = 'pushing' AND attempt = ?",
                digest, hold.build, hold.attempt)
        }
    }

    func finish(_ hold: Hold, now: Date) throws {
        try guarded(hold) {
            try run(
                """
                UPDATE builds SET state = 'finished', worker = NULL, lease_until = NULL, finished_at = ?
                WHERE id = ? AND state = 'pushing' AND attempt = ? AND digest IS NOT NULL
                """, now, hold.build, hold.attempt)
        }
        try endMoves(of: hold.build)
    }

    func fail(_ hold: Hold, _ failure: Failure, now: Date) throws {
        try guarded(hold) {
            try run(
                """
                UPDATE builds SET state = 'failed', worker = NULL, lease_until = NULL, finished_at = ?,
                    failure_kind = ?, failure_stage = ?, failure_message = ?
                WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ?
                """, now, failure.kind, failure.stage, failure.message, hold.build, hold.attempt)
        }
        try endMoves(of: hold.build)
        try leaveCommitTag(of: hold.build)
    }

    func skip(_ hold: Hold, reason: String, now: Date) throws {
        try guarded(hold) {
            try run(
                """
                UPDATE builds SET state = 'cancelled', worker = NULL, lease_until = NULL, finished_at = ?, reason = ?
                WHERE id = ? AND state = 'building' AND attempt = ?
                """, now, reason, hold.build, hold.attempt)
        }
        try endMoves(of: hold.build)
    }

    func giveBack(_ hold: Hold) throws {
        try guarded(hold) {
            try run(
                """
                UPDATE builds SET state = 'pending', excused = excused + 1, worker = NULL, lease_until = NULL,
                    started_at = NULL, pushing_at = NULL, digest = NULL
                WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ?
                """, hold.build, hold.attempt)
        }
        try forgetAttempt(of: hold.build)
    }

    /// - Parameter overdue: builds whose lease ran out before it; nil for every running build.
    func rescue(overdue: Date?) throws -> [Build.ID] {
        let rescued = try all(
            """
            UPDATE builds SET state = 'pending', worker = NULL, lease_until = NULL,
                started_at = NULL, pushing_at = NULL, digest = NULL
            WHERE state IN ('building', 'pushing') AND (?1 IS NULL OR lease_until < ?1)
            RETURNING id
            """, overdue
        ) { try $0.get("id", as: Build.ID.self) }.sorted()
        for build in rescued { try forgetAttempt(of: build) }
        return rescued
    }

    /// The next attempt may push another digest, so it moves every name anew. Its commit tag stays the build's.
    private func forgetAttempt(of build: Build.ID) throws {
        try resetTags(of: build)
        try endMoves(of: build)
    }

    private func resetTags(of build: Build.ID) throws {
        try run("UPDATE build_tags SET moved = 0, reason = NULL WHERE build = ?", build)
    }

    /// - Throws: `LeaseLost` where `change` changed no row.
    func guarded(_ hold: Hold, _ change: () throws -> Int) throws {
        if try change() == 0 { throw LeaseLost(hold, operation) }
    }
}
