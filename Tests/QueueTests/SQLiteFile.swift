import Platform

@testable import Queue

extension Database {
    /// A connection of a test's own to an SQLite file.
    convenience init(path: String, access: Access) throws {
        self.init(try SQLiteSession(path: path, access: access, time: SystemTime()))
    }

    /// Runs several statements without arguments.
    func script(_ sql: String) throws {
        try sqlite.script(sql)
    }

    var sqlite: SQLiteSession {
        guard let session = session as? SQLiteSession else { preconditionFailure("no SQLite session") }
        return session
    }
}

extension SQLiteMigration {
    static func run(_ migrations: [SQLiteMigration], on database: Database) throws {
        try run(migrations, on: database, database.sqlite)
    }
}
