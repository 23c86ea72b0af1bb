import Model

/// One step of the schema, run once in a database's life, in a transaction; its number is the database's
/// `user_version` from then on.
struct SQLiteMigration: Sendable {
    let number: Int
    let sql: String

    /// Brings the database to the last of `migrations`, and turns its foreign keys on.
    ///
    /// They are off meanwhile: a table that others refer to can only be rebuilt so ("ALTER TABLE", 7). Each step is
    /// checked against them as a whole.
    ///
    /// - Throws: `StoreError` where the database is newer than that, or a step fails; that step left nothing.
    @discardableResult
    static func run(
        _ migrations: [SQLiteMigration], on database: Database, _ session: SQLiteSession
    ) throws -> SchemaStep {
        let last = migrations.last?.number ?? 0
        let before = try version(of: database)
        // Not within the steps' transactions, where it would do nothing ("PRAGMA foreign_keys").
        try session.script("PRAGMA foreign_keys = OFF")
        while true {
            // Looked up within the transaction: two processes may open a new database at once.
            let done = try database.transaction("migrate", .readWrite) { database in
                let version = try version(of: database)
                guard version <= last else {
                    throw StoreError(
                        .unreadable,
                        "its schema is number \(version), and this slipway knows them up to \(last): run a newer slipway",
                        operation: "migrate", database: database.path)
                }
                guard let next = migrations.first(where: { $0.number > version }) else { return true }
                try session.script(next.sql)
                try checkReferences(in: database, after: next)
                try session.script("PRAGMA user_version = \(next.number)")
                return false
            }.0
            if done { break }
        }
        try session.script("PRAGMA foreign_keys = ON")
        return SchemaStep(before: before, now: last)
    }

    /// - Throws: `StoreError` that names the tables where rows refer to what isn't there.
    private static func checkReferences(in database: Database, after migration: SQLiteMigration) throws {
        let broken = try database.all("PRAGMA foreign_key_check") { try $0.get("table", as: String.self) }
        guard broken.isEmpty else {
            throw StoreError(
                .unreadable,
                "schema \(migration.number) would leave rows that refer to nothing in \(Set(broken).sorted().joined(separator: ", "))",
                operation: "migrate", database: database.path)
        }
    }

    private static func version(of database: Database) throws -> Int {
        try database.first("PRAGMA user_version") { try $0.get("user_version", as: Int.self) } ?? 0
    }
}
