import Model

/// What stands before and behind the rows of a copy.
extension Database {
    /// Whose pause a copy has until it is whole.
    static let copier = "slipway copy"

    /// That no process of Slipway's works with the database, as far as it can be seen there; SQLite's file has a lock.
    ///
    /// - Throws: `CopyError`.
    func expectIdle() throws {
        guard dialect == .postgreSQL else { return }
        let advice =
            "stop every \"slipway serve\" and \"slipway worker\" that uses it, for what they write would be lost"
        if let worker = try workers().first(where: \.isThere) {
            throw CopyError("\(path) is in use: worker \(worker.note.name) was there a moment ago; \(advice)")
        }
        let build = try first("SELECT id, worker FROM builds WHERE lease_until > ? ORDER BY id LIMIT 1", now) {
            "build \(try $0.get("id", as: Build.ID.self)) runs on \(try $0.get("worker", as: String.self))"
        }
        if let build { throw CopyError("\(path) is in use: \(build); \(advice)") }
        let duty = try first("SELECT name, holder FROM duties WHERE held_until > ? LIMIT 1", now) {
            "\(try $0.get("holder", as: String.self)) does \"\(try $0.get("name", as: String.self))\" for all"
        }
        if let duty { throw CopyError("\(path) is in use: \(duty); \(advice)") }
    }

    /// - Throws: `CopyError` that says what is there.
    func expectEmpty() throws {
        if let pause = try paused(), pause.by == Self.copier {
            throw CopyError(
                "\(path) is no place to copy to: \(pause.reason ?? "a copy to it has not ended"); put an empty database in its place, and copy anew"
            )
        }
        for table in HistoryTable.all + [.pause] where try !rows(of: table, after: nil).isEmpty {
            throw CopyError(
                "\(path) is not empty, and two histories can't become one: it has rows in \"\(table.name)\"; name an empty database"
            )
        }
    }

    /// Changes a parameter of the server until the end of the transaction; SQLite has none.
    func setLocally(_ parameter: String, _ value: String) throws {
        if dialect == .postgreSQL { try run("SELECT set_config(?, ?, true)", parameter, value) }
    }

    /// Whether SQLite leaves it to a later transaction, which is not relaxed, to bring this one to the disk; as
    /// PostgreSQL does with `synchronous_commit`.
    func relax(_ isRelaxed: Bool) throws {
        if dialect == .sqlite { try run("PRAGMA synchronous = \(isRelaxed ? "NORMAL" : "FULL")") }
    }

    /// Counts the pending builds that were inserted.
    func countPending() throws {
        let counts = try all(
            "SELECT repository, count(*) AS builds FROM builds WHERE state = 'pending' GROUP BY repository ORDER BY 1"
        ) { (repository: try $0.get("repository", as: String.self), builds: try $0.get("builds", as: Int.self)) }
        for (repository, builds) in [("", counts.reduce(0) { $0 + $1.builds })] + counts where builds > 0 {
            try run(dialect.countPending, repository, builds)
        }
    }

    // MARK: Numbers

    /// The last numbers that were given, also to what is no longer kept.
    func lastNumbers() throws -> [String: Int64] {
        var numbers: [String: Int64] = [:]
        for (table, column) in [("builds", "id"), ("deliveries", "number")] {
            let given =
                switch dialect {
                case .sqlite: "SELECT seq FROM sqlite_sequence WHERE name = '\(table)'"
                case .postgreSQL:
                    "SELECT pg_sequence_last_value(pg_get_serial_sequence('\(table)', '\(column)')::regclass)"
                }
            numbers[table] = try first(
                """
                SELECT last FROM (SELECT coalesce((\(given)), 0) AS last
                    UNION ALL SELECT coalesce(max(\(column)), 0) FROM \(table)) AS numbers ORDER BY last DESC LIMIT 1
                """
            ) { try $0.get("last") }
        }
        return numbers
    }

    /// Gives numbers behind these from now on. SQLite's deliveries have numbers behind the last that is kept.
    func go(on last: [String: Int64]) throws {
        for (table, column) in [("builds", "id"), ("deliveries", "number")] {
            guard let number = last[table], number > 0 else { continue }
            switch dialect {
            case .sqlite where table == "builds":
                try run("DELETE FROM sqlite_sequence WHERE name = ?", table)
                try run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, number)
            case .sqlite: break
            case .postgreSQL:
                try run("SELECT setval(pg_get_serial_sequence(?, ?)::regclass, ?)", table, column, number)
            }
        }
    }
}
