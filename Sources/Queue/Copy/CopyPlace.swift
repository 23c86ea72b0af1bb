import Foundation
import Model
import Platform

/// Where a history is copied from, or to.
package enum CopyPlace: Sendable, Equatable, CustomStringConvertible {
    case sqlite(path: String)
    case postgreSQL(PostgreSQLAddress)

    /// Without secrets.
    package var description: String {
        switch self {
        case .sqlite(let path): path
        case .postgreSQL(let address): PostgreSQLWire.place(of: address)
        }
    }

    /// The directory that nobody else may use meanwhile.
    var directory: String? {
        guard case .sqlite(let path) = self else { return nil }
        return URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path
    }

    /// Whether a database of Slipway's is there.
    func isThere() throws -> Bool {
        switch self {
        case .sqlite(let path): return FileManager.default.fileExists(atPath: path)
        case .postgreSQL:
            return try connect().transaction("copy", .readOnly, { try PostgreSQLMigration.isThere(on: $0) }).0
        }
    }

    /// Makes the database what this version needs.
    func migrate() async throws {
        switch self {
        case .sqlite(let path): try await DatabaseStore.open(sqlite: path, time: SystemTime()).close()
        case .postgreSQL(let address): try await DatabaseStore.open(postgreSQL: address).close()
        }
    }

    /// A connection for one thread.
    func connect() throws -> Database {
        switch self {
        case .sqlite(let path):
            let database = Database(try SQLiteSession(path: path, access: .readWrite, time: SystemTime()))
            try database.run("PRAGMA foreign_keys = ON")
            return database
        case .postgreSQL(let address): return Database(try PostgreSQLSession(address, sender: "copy", time: nil))
        }
    }
}

/// The history could not be copied; the description is a sentence for people.
package struct CopyError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
