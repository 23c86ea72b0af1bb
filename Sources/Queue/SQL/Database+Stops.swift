import Foundation
import Model

/// Ends that somebody asks for, whatever a build is at: at once while it is pending, else by its worker.
extension Database {
    func cancel(_ id: Build.ID, reason: String) throws -> Build? {
        try end(id, as: .cancelled, reason: reason, successor: nil, alsoRunning: true)
        return try build(id)
    }

    /// - Returns: the builds that have ended so, or are to.
    func supersede(_ builds: [Build.ID], by successor: Build.ID) throws -> [Build.ID] {
        let newer = try existing(successor)
        return try builds.filter { id in
            guard let older = try build(id) else { return false }
            return try supersede(id, by: newer, alsoRunning: older.rule.cancelRunning)
        }
    }

    func supersede(_ build: Build.ID, by newer: Build, alsoRunning: Bool) throws -> Bool {
        guard build != newer.id else { return false }
        return try end(
            build, as: .superseded, reason: Self.reason(newer), successor: newer.id, alsoRunning: alsoRunning)
    }

    func giveWay(_ hold: Hold, to successor: Build.ID) throws -> Bool {
        let newer = try existing(successor)
        guard newer.state != .failed, newer.state != .cancelled, newer.stop != .cancelled else { return false }
        try run(
            """
            UPDATE builds SET stop = 'superseded', reason = ?, successor = ?
            WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ? AND stop IS NULL
            """, Self.reason(newer), successor, hold.build, hold.attempt)
        return true
    }

    private static func reason(_ newer: Build) -> String { "build \(newer.id) is of a newer push to \(newer.ref.name)" }

    /// The builds whose place a new one takes: of the branch as it was before its push.
    func predecessors(of build: Build, before: CommitID) throws -> [Build.ID] {
        guard build.ref.kind == .branch else { return [] }
        return try all(
            """
            SELECT id, rule FROM builds INDEXED BY builds_by_commit
            WHERE repository = ? AND ref = ? AND "commit" = ? AND image = ?
                AND state IN ('pending', 'building', 'pushing') AND id < ?
            ORDER BY id
            """, build.repository, build.ref, before, build.image, build.id
        ) { try rules.rule($0.get("rule")).isSame(as: build.rule) ? $0.get("id", as: Build.ID.self) : nil }
        .compactMap(\.self)
    }

    func rivals(of build: Build) throws -> [Build] {
        try all(
            """
            SELECT \(Build.columns) FROM builds INDEXED BY builds_living_of_ref
            WHERE finished_at IS NULL AND repository = ? AND ref = ? AND "commit" IS NOT NULL AND image = ?
                AND state IN ('pending', 'building', 'pushing') AND id <> ?
            ORDER BY id
            """, build.repository, build.ref, build.image, build.id
        ) { try Build(row: $0, rules: rules) }.filter { $0.rule.isSame(as: build.rule) }
    }

    func stop(_ hold: Hold) throws {
        guard try stops(hold) else { throw LeaseLost(hold, operation) }
    }

    /// Ends a running build as somebody asked for.
    ///
    /// - Returns: false where nobody did.
    func stops(_ hold: Hold) throws -> Bool {
        let changed = try count(
            """
            UPDATE builds SET state = stop, stop = NULL, worker = NULL, lease_until = NULL, finished_at = ?
            WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ? AND stop IS NOT NULL
            """, now, hold.build, hold.attempt)
        guard changed > 0 else { return false }
        try endMoves(of: hold.build)
        return true
    }

    /// - Returns: whether anything changed: not where it has ended, or is to end already.
    @discardableResult
    private func end(
        _ id: Build.ID, as end: Build.State, reason: String, successor: Build.ID?, alsoRunning: Bool
    ) throws -> Bool {
        let ended = try count(
            """
            UPDATE builds SET state = ?, reason = ?, successor = ?, finished_at = ?, retry_at = NULL,
                failure_kind = NULL, failure_stage = NULL, failure_message = NULL
            WHERE id = ? AND state = 'pending'
            """, end, reason, successor, now, id)
        if ended > 0 { return true }
        guard alsoRunning else { return false }
        return try count(
            """
            UPDATE builds SET stop = ?, reason = ?, successor = ?
            WHERE id = ? AND state IN ('building', 'pushing') AND stop IS NULL
            """, end, reason, successor, id) > 0
    }
}
