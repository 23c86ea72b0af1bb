import Foundation
import Platform

/// Runs the calls of one connection to an SQLite file on a thread of its own, one after the other, in the order in which they came.
actor SQLiteConnection {
    private let executor: QueueExecutor
    nonisolated let path: String
    private let time: any TimeSource
    private var session: SQLiteSession?
    private var database: Database?
    /// Of a writer: the connection that writes back the log.
    private var checkpointer: SQLiteConnection?
    private var isCheckpointing = false

    /// After so many pages in the log they are written back into the file beside the writer.
    private static let checkpointPages = 1000
    /// With so many the writer itself writes back what is left, which only it can bring to an end, and begins the log
    /// anew. Were that all of the log, every call would wait for it meanwhile.
    private static let logPages = 16000

    init(path: String, label: String, time: any TimeSource) {
        self.time = time
        self.path = path
        executor = QueueExecutor(label: label)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens the writing connection, and makes the database what this version needs.
    ///
    /// - Parameter maximumPages: the greatest size of the file, in pages of 4 KiB; nil is SQLite's own.
    @discardableResult
    func openWriter(maximumPages: Int?, migrations: [SQLiteMigration]) async throws -> SchemaStep {
        try makePrivateFile()
        let session = try SQLiteSession(path: path, access: .readWrite, time: time)
        let database = Database(session)
        let mode = try database.first("PRAGMA journal_mode = WAL") { try $0.get("journal_mode", as: String.self) }
        guard mode == "wal" else {
            // A file system without shared memory maps, as over a network, can't hold it.
            throw StoreError(
                .failed, "its file system allows no write-ahead log; put \"data\" on a local disk", operation: "open",
                database: path)
        }
        try session.script("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864")
        // Many calls in one transaction change more pages than SQLite's own 2 MiB hold; those would be written twice.
        try session.script("PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = \(Self.logPages)")
        let step = try SQLiteMigration.run(migrations, on: database, session)
        if let maximumPages { try session.script("PRAGMA max_page_count = \(maximumPages)") }
        (self.session, self.database) = (session, database)
        let checkpointer = SQLiteConnection(path: path, label: "slipway.store.checkpointer", time: time)
        try await checkpointer.openCheckpointer()
        self.checkpointer = checkpointer
        return step
    }

    private func openCheckpointer() throws {
        session = try SQLiteSession(path: path, access: .readWrite, time: time)
    }

    /// Opens the reading connection to a database that a writer has open.
    func openReader() throws {
        let session = try SQLiteSession(path: path, access: .readOnly, time: time)
        (self.session, database) = (session, Database(session))
    }

    /// One transaction that may change the database; when it returns, the change is on the disk.
    func write<Result: Sendable>(
        _ operation: String, _ body: @Sendable (Database) throws -> Result
    ) throws -> (Result, told: [ChangeTopic]) {
        let result = try opened(operation).transaction(operation, .readWrite, body)
        checkpointWhereDue()
        return result
    }

    private func checkpointWhereDue() {
        guard let checkpointer, !isCheckpointing, session?.tookPages(Self.checkpointPages) == true else { return }
        isCheckpointing = true
        Task {
            await checkpointer.checkpoint()
            isCheckpointing = false
        }
    }

    private func checkpoint() {
        do {
            try session?.script("PRAGMA wal_checkpoint(PASSIVE)")
        } catch {
            // What isn't written back is as safe in the log, and tried again with its next pages. A disk that fails
            // shows at the next change, to whoever makes it.
        }
    }

    /// One transaction that sees a single state of the database.
    func read<Result: Sendable>(_ operation: String, _ body: @Sendable (Database) throws -> Result) throws -> Result {
        try opened(operation).transaction(operation, .readOnly, body).0
    }

    /// Copies the database as it is now to a new file, readable for its owner only, while others change it.
    func copy(to path: String) throws {
        let file = Foundation.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw refused(path) }
        defer { Foundation.close(file) }
        do {
            guard let session else { throw StoreError(.closed, "closed", operation: "backup", database: self.path) }
            try session.copy(to: path)
            // SQLite leaves it to the system when a copy is on the disk.
            guard fsync(file) == 0 else { throw refused(path) }
        } catch {
            // A part of a database would look like one.
            unlink(path)
            throw error
        }
    }

    /// The error of the system's last call, on a file that the database is to be copied to.
    private func refused(_ path: String) -> StoreError {
        let code = errno
        return StoreError(
            .failed, code: Int(code), "\(path): \(String(cString: strerror(code)))", operation: "backup",
            database: self.path)
    }

    /// - Returns: how many builds there are.
    /// - Throws: `StoreError` where the database is damaged.
    func checkCopy() throws -> Int {
        let database = try opened("backup")
        let fault = try database.first("PRAGMA quick_check(1)") { try $0.get("quick_check", as: String.self) }
        guard fault == "ok" else {
            throw StoreError(.unreadable, fault ?? "no word", operation: "backup", database: path)
        }
        return try database.first("SELECT count(*) AS count FROM builds") { try $0.get("count", as: Int.self) } ?? 0
    }

    func close() async {
        await checkpointer?.close()
        (session, database) = (nil, nil)
    }

    private func opened(_ operation: String) throws -> Database {
        guard let database else { throw StoreError(.closed, "closed", operation: operation, database: path) }
        return database
    }

    /// Logs of builds are nobody else's business; SQLite gives its other files the mode of this one.
    private func makePrivateFile() throws {
        let file = Foundation.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file >= 0 {
            Foundation.close(file)
        } else if errno != EEXIST {
            throw StoreError(.failed, String(cString: strerror(errno)), operation: "open", database: path)
        }
    }
}
