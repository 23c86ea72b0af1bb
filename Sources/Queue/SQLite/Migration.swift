import Model

/// One step of the schema, run once in a database's life, in a transaction; its number is the database's
/// `user_version` from then on.
struct Migration: Sendable {
    let number: Int
    let sql: String

    /// Brings the database to the last of `migrations`.
    ///
    /// - Throws: `StoreError` where the database is newer than that, or a step fails; that step left nothing.
    static func run(_ migrations: [Migration], on database: Database) throws {
        let last = migrations.last?.number ?? 0
        while true {
            // Looked up within the transaction: two processes may open a new database at once.
            let done = try database.transaction("migrate", begin: "BEGIN IMMEDIATE") { database in
                let version = try version(of: database)
                guard version <= last else {
                    throw StoreError(
                        .unreadable,
                        "its schema is number \(version), and this slipway knows them up to \(last): run a newer slipway",
                        operation: "migrate", database: database.path)
                }
                guard let next = migrations.first(where: { $0.number > version }) else { return true }
                try database.script(next.sql)
                try database.script("PRAGMA user_version = \(next.number)")
                return false
            }
            if done { return }
        }
    }

    private static func version(of database: Database) throws -> Int {
        try database.first("PRAGMA user_version") { try $0.get("user_version", as: Int.self) } ?? 0
    }
}
