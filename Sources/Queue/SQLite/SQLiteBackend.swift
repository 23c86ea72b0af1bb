import Foundation
import Model
import Platform

/// An SQLite file: changes go through one connection and reads through another, which never wait for each other
/// (write-ahead log).
///
/// Whoever opens it holds the `DataLock` of its directory: no other process changes it.
final class SQLiteBackend: Backend {
    let isShared = false
    let schema: SchemaStep
    let writer: SQLiteConnection
    private let reader: SQLiteConnection

    /// Opens the database, makes it where there is none, and brings its schema to this version.
    ///
    /// - Parameter maximumPages: the greatest size of the file, in pages of 4 KiB, for tests of a full database.
    init(path: String, time: any TimeSource, maximumPages: Int? = nil) async throws {
        writer = SQLiteConnection(path: path, label: "slipway.store.writer", time: time)
        reader = SQLiteConnection(path: path, label: "slipway.store.reader", time: time)
        schema = try await writer.openWriter(maximumPages: maximumPages, migrations: SQLiteMigration.all)
        try await reader.openReader()
    }

    func write<Result: Sendable>(
        _ operation: String, isPatient: Bool, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> (Result, told: [ChangeTopic]) {
        try await writer.write(operation, body)
    }

    func read<Result: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result {
        try await reader.read(operation, body)
    }

    /// There are no others.
    func listen(_ heard: @escaping @Sendable ([ChangeTopic]?) -> Void) {}

    func backup(to path: String) async throws {
        _ = try await Self.backup(of: writer.path, to: path)
    }

    func close() async {
        // The writer last: whoever closes last writes the log back into the file, which the reader may not.
        await reader.close()
        await writer.close()
    }

    /// Copies a database as it is at one moment to a new file, whether another process has it open or none, and reads
    /// the copy through once.
    ///
    /// - Returns: how many builds the copy holds.
    static func backup(of database: String, to path: String) async throws -> Int {
        try await reading(database) { try await $0.copy(to: path) }
        return try await reading(path) { try await $0.checkCopy() }
    }

    private static func reading<Result: Sendable>(
        _ path: String, _ body: (SQLiteConnection) async throws -> Result
    ) async throws -> Result {
        let connection = SQLiteConnection(path: path, label: "slipway.store.backup", time: SystemTime())
        do {
            try await connection.openReader()
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

extension DatabaseStore {
    /// Opens an SQLite file, makes it where there is none, and brings its schema to this version.
    ///
    /// - Throws: `StoreError`, also for a database that a newer Slipway has written.
    package static func open(sqlite path: String, time: any TimeSource) async throws -> DatabaseStore {
        DatabaseStore(try await SQLiteBackend(path: path, time: time))
    }

    /// Copies an SQLite file as it is at one moment to a new one, whether another process has it open or none.
    ///
    /// - Returns: how many builds the copy holds.
    package static func backup(ofSQLite database: String, to path: String) async throws -> Int {
        try await SQLiteBackend.backup(of: database, to: path)
    }
}
