import CSQLite
import Foundation
import Model
import Platform

/// A connection to an SQLite file.
final class SQLiteSession: Session {
    let place: String
    let dialect = Dialect.sqlite
    var operation = "open"
    private let time: any TimeSource
    private var began: Date?
    private let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]

    /// - Throws: `StoreError` where the file can't be opened or made, or is no database.
    init(path: String, access: Access, time: any TimeSource) throws {
        place = path
        self.time = time
        let flags =
            switch access {
            case .readWrite: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .readOnly: SQLITE_OPEN_READONLY
            }
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard let opened, code == SQLITE_OK else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
            // "Whether or not an error occurs when it is opened, resources … should be released" (sqlite3_open).
            sqlite3_close_v2(opened)
            throw StoreError(.failed, code: Int(code), message, operation: "open", database: path)
        }
        handle = opened
        sqlite3_busy_timeout(handle, 5000)
    }

    deinit {
        // sqlite3_close keeps a connection open that still has statements.
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    func now() throws -> Date {
        if let began { return began }
        // As it is read back.
        let now = try Date(stored: time.now.stored)
        began = now
        return now
    }

    func begin(_ access: Access) throws {
        began = nil
        // Immediate: a transaction that begins reading could find at its first change that another went before it.
        try send(access == .readWrite ? "BEGIN IMMEDIATE" : "BEGIN", [])
    }

    /// Nobody else has the file open, so nobody else is told.
    func commit(telling told: [ChangeTopic]) throws { try send("COMMIT", []) }

    func rollBack() throws {
        // SQLite has ended it itself after some errors, a full disk among them ("Response To Errors Within A
        // Transaction").
        if sqlite3_get_autocommit(handle) == 0 { try send("ROLLBACK", []) }
    }

    func send(_ sql: String, _ arguments: [any Storable]) throws {
        _ = try step(sql, arguments) { _ in true }
    }

    func ask<Value>(
        _ sql: String, _ arguments: [any Storable], _ read: @escaping (Row) throws -> Value
    ) throws -> Later<Value> {
        var rows: [Value] = []
        _ = try step(sql, arguments) {
            rows.append(try read($0))
            return true
        }
        return Later { rows }
    }

    func step(_ sql: String, _ arguments: [any Storable], _ next: (Row) throws -> Bool) throws -> Int {
        let statement = try compiled(sql)
        defer {
            // Its result repeats the error of the last step.
            sqlite3_reset(statement.handle)
            // Else a delivery's body would stay in memory until the next one.
            sqlite3_clear_bindings(statement.handle)
        }
        for (index, argument) in arguments.enumerated() {
            try check(statement.bind(argument.stored, at: Int32(index + 1)), sql)
        }
        while true {
            let code = sqlite3_step(statement.handle)
            if code == SQLITE_DONE { break }
            guard code == SQLITE_ROW else { throw error(code, sql) }
            guard try next(Row(source: statement)) else { break }
        }
        return Int(sqlite3_changes64(handle))
    }

    /// Runs several statements without arguments.
    func script(_ sql: String) throws {
        try check(sqlite3_exec(handle, sql, nil, nil, nil), sql)
    }

    /// Copies the database as it is now to a file that is empty; not within a transaction ("VACUUM").
    func copy(to path: String) throws {
        operation = "backup"
        try send("VACUUM INTO ?", [path])
    }

    /// Whether so many pages or more were written to the log since this was last so.
    func tookPages(_ limit: Int) -> Bool {
        var (pages, highest): (Int32, Int32) = (0, 0)
        guard sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 0) == SQLITE_OK, pages >= limit
        else { return false }
        return sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 1) == SQLITE_OK
    }

    private func compiled(_ sql: String) throws -> SQLiteStatement {
        if let statement = statements[sql] { return statement }
        var handle: OpaquePointer?
        try check(
            sqlite3_prepare_v3(self.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil), sql)
        guard let handle else {
            throw StoreError(.failed, "no statement", operation: operation, sql: sql, database: place)
        }
        let statement = SQLiteStatement(handle)
        statements[sql] = statement
        return statement
    }

    private func check(_ code: Int32, _ sql: String) throws {
        if code != SQLITE_OK { throw error(code, sql) }
    }

    private func error(_ code: Int32, _ sql: String) -> StoreError {
        let kind: StoreError.Kind =
            switch code & 0xff {
            case SQLITE_FULL, SQLITE_IOERR: .noRoom
            case SQLITE_BUSY, SQLITE_LOCKED: .busy
            case SQLITE_CORRUPT, SQLITE_NOTADB: .unreadable
            default: .failed
            }
        return StoreError(
            kind, code: Int(code), String(cString: sqlite3_errmsg(handle)), operation: operation, sql: sql,
            database: place)
    }
}
