import CSQLite
import Foundation
import Model

/// One SQLite connection with its compiled statements; used by one thread at a time.
final class Database {
    enum Access {
        case readWrite, readOnly
    }

    let path: String
    /// The function of the store that is being done, for errors.
    private(set) var operation = "open"
    let rules = RuleCache()
    private let handle: OpaquePointer
    private var statements: [String: Statement] = [:]

    /// - Throws: `StoreError` where the file can't be opened or made, or is no database.
    init(path: String, access: Access) throws {
        self.path = path
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

    /// Runs `body` in one transaction: all that it changed is kept, or nothing.
    func transaction<Result>(_ operation: String, begin: String, _ body: (Database) throws -> Result) throws -> Result {
        self.operation = operation
        do {
            try run(begin)
            let result = try body(self)
            try run("COMMIT")
            return result
        } catch {
            // SQLite has ended it itself after some errors, a full disk among them ("Response To Errors Within A
            // Transaction").
            if isInTransaction { try run("ROLLBACK") }
            throw told(error)
        }
    }

    private var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// The error as the store's caller is to see it: text in the database that can't be read is the database's fault.
    private func told(_ error: any Error) -> any Error {
        guard let invalid = error as? InvalidText else { return error }
        return StoreError(.unreadable, invalid.description, operation: operation, database: path)
    }

    /// Whether so many pages or more were written to the log since this was last so.
    func tookPages(_ limit: Int) -> Bool {
        var (pages, highest): (Int32, Int32) = (0, 0)
        guard sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 0) == SQLITE_OK, pages >= limit
        else { return false }
        return sqlite3_db_status(handle, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 1) == SQLITE_OK
    }

    /// The number of the row that was inserted last.
    var lastInserted: Int64 { sqlite3_last_insert_rowid(handle) }

    /// - Returns: how many rows were changed.
    @discardableResult
    func run(_ sql: String, _ arguments: any Storable...) throws -> Int {
        _ = try each(sql, arguments) { _ in }
        return Int(sqlite3_changes64(handle))
    }

    /// - Returns: what `read` makes of every row.
    func all<Result>(_ sql: String, _ arguments: any Storable..., read: (Row) throws -> Result) throws -> [Result] {
        try each(sql, arguments, read)
    }

    func all<Result>(_ sql: String, list arguments: [any Storable], read: (Row) throws -> Result) throws -> [Result] {
        try each(sql, arguments, read)
    }

    /// - Returns: what `read` makes of the first row, or nil where there is none.
    func first<Result>(_ sql: String, _ arguments: any Storable..., read: (Row) throws -> Result) throws -> Result? {
        try each(sql, arguments, read).first
    }

    /// - Returns: the first that `read` makes of a row; rows after it aren't looked at.
    func search<Result>(
        _ sql: String, list arguments: [any Storable], read: (Row) throws -> Result?
    ) throws -> Result? {
        var found: Result?
        try step(sql, arguments) {
            found = try read($0)
            return found == nil
        }
        return found
    }

    /// Copies the database as it is now to a file that is empty; not within a transaction ("VACUUM").
    func copy(to path: String) throws {
        operation = "backup"
        try run("VACUUM INTO ?", path)
    }

    /// Runs several statements without arguments.
    func script(_ sql: String) throws {
        try check(sqlite3_exec(handle, sql, nil, nil, nil), sql)
    }

    private func each<Result>(
        _ sql: String, _ arguments: [any Storable], _ read: (Row) throws -> Result
    ) throws -> [Result] {
        var results: [Result] = []
        try step(sql, arguments) {
            results.append(try read($0))
            return true
        }
        return results
    }

    /// Goes through the rows for as long as `next` wants more.
    private func step(_ sql: String, _ arguments: [any Storable], _ next: (Row) throws -> Bool) throws {
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
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw error(code, sql) }
            guard try next(Row(statement)) else { return }
        }
    }

    private func compiled(_ sql: String) throws -> Statement {
        if let statement = statements[sql] { return statement }
        var handle: OpaquePointer?
        try check(
            sqlite3_prepare_v3(self.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil), sql)
        guard let handle else {
            throw StoreError(.failed, "no statement", operation: operation, sql: sql, database: path)
        }
        let statement = Statement(handle)
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
            database: path)
    }
}
