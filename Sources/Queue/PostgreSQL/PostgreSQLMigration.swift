import Model

/// One step of the schema, run once in a database's life; the highest number done is in the table `slipway_schema`.
struct PostgreSQLMigration: Sendable {
    let number: Int
    let statements: [String]

    /// Brings the database to the last of `migrations`, all in one transaction; of several processes that begin at once
    /// one does it.
    ///
    /// - Throws: `StoreError` where the schema is newer than that, or a step fails.
    static func run(_ migrations: [PostgreSQLMigration], on database: Database) throws -> SchemaStep {
        try database.lock(["schema"])
        let last = migrations.last?.number ?? 0
        let version = try version(of: database)
        guard version <= last else {
            throw StoreError(
                .unreadable,
                "its schema is number \(version), and this slipway knows them up to \(last): run a newer slipway",
                operation: "migrate", database: database.path)
        }
        for next in migrations where next.number > version {
            for statement in next.statements { try database.run(statement) }
        }
        if version < last {
            try database.run("DELETE FROM slipway_schema")
            try database.run("INSERT INTO slipway_schema (number) VALUES (?)", last)
        }
        return SchemaStep(before: version, now: last)
    }

    /// Whether a schema of Slipway's is there.
    static func isThere(on database: Database) throws -> Bool { try version(of: database) > 0 }

    private static func version(of database: Database) throws -> Int {
        let exists =
            try database.first("SELECT to_regclass('slipway_schema') IS NOT NULL AS found") {
                try $0.get("found", as: Bool.self)
            } ?? false
        if !exists { return 0 }
        return try database.first("SELECT number FROM slipway_schema") { try $0.get("number") } ?? 0
    }
}
