import Foundation
import Model

/// Who works, with what, and which of those that serve does what one of them is to do.
extension Database {
    /// Of whom nothing was heard for so long is taken for lost.
    private static let absence: TimeInterval = 20
    /// And after so long forgotten.
    private static let oblivion: TimeInterval = 7 * 86400
    /// For so long a build is left to the workers that have its repository's mirror.
    static let preference = Duration.milliseconds(300)
    /// A worker that was not heard of since then is lost.
    static func lost(_ now: Date) -> Date { now.addingTimeInterval(-absence) }

    func checkIn(_ note: WorkerNote) throws -> WorkerOrders {
        // Nobody else has the file, so others are of former lives.
        if dialect == .sqlite { try run("DELETE FROM workers WHERE name <> ?", note.name) }
        let known = try first(
            "SELECT instance, drained, seen_at FROM workers WHERE name = ? \(dialect.locking)", note.name
        ) { row in
            (
                instance: try row.get("instance", as: String.self), isDrained: try row.get("drained", as: Bool.self),
                seenAt: try row.get("seen_at", as: Date.self)
            )
        }
        try run(
            """
            INSERT INTO workers (name, labels, slots, version, instance, started_at, seen_at, drained)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, FALSE)
            ON CONFLICT (name) DO UPDATE SET labels = excluded.labels, slots = excluded.slots,
                version = excluded.version, seen_at = excluded.seen_at, instance = excluded.instance,
                started_at = CASE WHEN workers.instance = excluded.instance THEN workers.started_at
                    ELSE excluded.started_at END
            """, note.name, JSON(note.labels.sorted()), note.slots, note.version, note.instance, now)
        guard let known else { return WorkerOrders(isDrained: false, hasDouble: false) }
        let isDouble = try known.instance != note.instance && now.timeIntervalSince(known.seenAt) < Self.absence
        return WorkerOrders(isDrained: known.isDrained, hasDouble: isDouble)
    }

    /// Forgets a worker that ended in good order, but not what was asked of it.
    func checkOut(_ name: String, instance: String) throws {
        try run(
            "DELETE FROM worker_mirrors WHERE worker = ?1 AND NOT EXISTS (SELECT 1 FROM workers WHERE name = ?1)", name)
        try run("DELETE FROM workers WHERE name = ? AND instance = ? AND NOT drained", name, instance)
    }

    func workers() throws -> [WorkerState] {
        let builds = try all(
            "SELECT worker, id FROM builds INDEXED BY builds_running WHERE lease_until IS NOT NULL AND worker IS NOT NULL ORDER BY id"
        ) { (worker: try $0.get("worker", as: String.self), build: try $0.get("id", as: Build.ID.self)) }
        let running = Dictionary(grouping: builds, by: \.worker).mapValues { $0.map(\.build) }
        let lost = Self.lost(try now)
        return try all(
            "SELECT name, labels, slots, version, instance, started_at, seen_at, drained FROM workers ORDER BY name"
        ) { row in
            let note = WorkerNote(
                name: try row.get("name"), labels: Set(try row.get("labels", as: JSON<[String]>.self).content),
                slots: try row.get("slots"), version: try row.get("version"), instance: try row.get("instance"))
            let seenAt = try row.get("seen_at", as: Date.self)
            return WorkerState(
                note: note, startedAt: try row.get("started_at"), seenAt: seenAt,
                isThere: dialect == .sqlite || seenAt > lost,
                isDrained: try row.get("drained"), builds: running[note.name] ?? [])
        }
    }

    /// - Returns: false where there is no such worker.
    func drain(_ worker: String, _ isDrained: Bool) throws -> Bool {
        try lock([Self.claims])
        return try count("UPDATE workers SET drained = ? WHERE name = ?", isDrained, worker) > 0
    }

    func forgetWorkers() throws {
        try run("DELETE FROM workers WHERE seen_at < ?", now.addingTimeInterval(-Self.oblivion))
        try run("DELETE FROM worker_mirrors WHERE worker NOT IN (SELECT name FROM workers)")
    }

    // MARK: What a worker may claim

    func labelsAsked() throws -> [JSON<[String]>] { try askLabelsAsked().rows }

    private func askLabelsAsked() throws -> Later<JSON<[String]>> {
        // From each to the next by the index: many builds may ask for the same.
        func next(_ condition: String) -> String {
            """
            SELECT min(runs_on) FROM builds INDEXED BY builds_bound
            WHERE state = 'pending' AND runs_on IS NOT NULL \(condition)
            """
        }
        return try ask(
            """
            WITH RECURSIVE asked (labels) AS (
                \(next("")) UNION ALL SELECT (\(next("AND runs_on > labels"))) FROM asked WHERE labels IS NOT NULL)
            SELECT labels FROM asked WHERE labels IS NOT NULL ORDER BY labels
            """
        ) { try $0.get("labels") }
    }

    /// What pending builds ask for that the worker has not, as their column has it.
    func labelsBeyond(_ worker: String) throws -> [String] {
        let asked = try askLabelsAsked()
        let labels = try ask("SELECT labels FROM workers WHERE name = ?", worker) {
            Set(try $0.get("labels", as: JSON<[String]>.self).content)
        }
        let owned = try labels.first ?? []
        return try asked.rows.filter { !owned.isSuperset(of: $0.content) }.map(\.text)
    }

    /// Notes that a worker has the mirrors of what it claimed.
    func warm(_ worker: String, _ repositories: Set<String>) throws {
        for repository in repositories.sorted() {
            try run(
                "INSERT INTO worker_mirrors (worker, repository) VALUES (?, ?) ON CONFLICT DO NOTHING", worker,
                repository)
        }
    }

    // MARK: Duties

    /// Takes what one of many is to do, or keeps it.
    func takeDuty(_ name: String, by holder: String, for time: Duration) throws -> Bool {
        try count(
            """
            INSERT INTO duties (name, holder, held_until) VALUES (?1, ?2, ?3)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
            WHERE duties.holder = excluded.holder OR duties.held_until <= ?4 OR duties.held_until > ?5
            """, name, holder, now.addingTimeInterval(time.seconds), now, now.addingTimeInterval(7200)) > 0
    }

    func leaveDuties(of holder: String) throws { try run("DELETE FROM duties WHERE holder = ?", holder) }
}
