import Foundation
import Model

/// One connection to a database, with its compiled statements; used by one thread at a time.
protocol Session: AnyObject {
    /// Where the database is, for errors; without secrets.
    var place: String { get }
    var dialect: Dialect { get }
    /// The function of the store that is being done, for errors.
    var operation: String { get set }
    /// The time that a transaction's changes are of: within it, always the same.
    ///
    /// - Throws: `StoreError` where the database has to be asked and does not answer.
    func now() throws -> Date

    /// Begins a transaction that sees the database as it is at one moment, or one that may change it.
    func begin(_ access: Access) throws
    /// Keeps all that the transaction changed, and tells other processes that listen of `told`.
    ///
    /// - Throws: `StoreError`, and nothing was kept; but see `OutcomeUnknown`.
    func commit(telling told: [ChangeTopic]) throws
    /// Ends a transaction that failed; nothing of it is kept.
    func rollBack() throws

    /// Runs a statement and goes through its rows for as long as `next` wants more.
    ///
    /// - Returns: how many rows it changed, where it changes any.
    func step(_ sql: String, _ arguments: [any Storable], _ next: (Row) throws -> Bool) throws -> Int
    /// Runs a statement whose rows nobody looks at; a database over a network may do it together with the next, and
    /// throw its error there.
    func send(_ sql: String, _ arguments: [any Storable]) throws
    /// Runs a query whose rows are looked at later; a database over a network may do it together with the next.
    func ask<Value>(
        _ sql: String, _ arguments: [any Storable], _ read: @escaping (Row) throws -> Value
    ) throws -> Later<Value>
}

enum Access: Sendable {
    case readWrite, readOnly
}

/// Where the SQL of the databases differs.
enum Dialect: Sendable {
    case sqlite, postgreSQL

    /// At the end of a query: its rows are this transaction's until its end, and another's are left out.
    var skippingLocked: String { self == .postgreSQL ? "FOR UPDATE SKIP LOCKED" : "" }

    /// At the end of a query: nobody else changes its rows until the end of the transaction.
    var locking: String { self == .postgreSQL ? "FOR UPDATE" : "" }

    /// Adds to how many builds of a repository are pending.
    var countPending: String {
        switch self {
        case .sqlite:
            """
            INSERT INTO pending VALUES (?, ?)
            ON CONFLICT (repository) DO UPDATE SET builds = pending.builds + excluded.builds
            """
        // In several rows each, so that those who count do not wait for each other.
        case .postgreSQL:
            """
            INSERT INTO pending_counts VALUES (?, pg_backend_pid() % 32, ?)
            ON CONFLICT ON CONSTRAINT pending_counts_pkey DO UPDATE SET builds = pending_counts.builds + excluded.builds
            """
        }
    }

    /// So many numbers for new builds, greater than all before.
    var newNumbers: String {
        switch self {
        case .sqlite:
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'builds'), 0) + ?1 AS id"
        case .postgreSQL:
            "SELECT nextval(pg_get_serial_sequence('builds', 'id')) AS id FROM generate_series(1, ?) ORDER BY id"
        }
    }

    /// A rule's JSON without its place in the settings.
    func withoutNumber(_ rule: String) -> String {
        self == .postgreSQL ? "(\(rule)::jsonb - 'number')" : "json_remove(\(rule), '$.number')"
    }
}

/// The row that a statement stands on; used only inside the closure that it is given to.
struct Row {
    let source: any RowSource

    /// - Throws: `InvalidText` that names the column, where it is missing or holds something else.
    func get<Result: Storable>(_ name: String, as type: Result.Type = Result.self) throws(InvalidText) -> Result {
        guard let value = source.value(of: name) else { throw InvalidText("there is no column \"\(name)\"") }
        do {
            return try Result(stored: value)
        } catch {
            throw InvalidText("column \"\(name)\": \(error)")
        }
    }
}

protocol RowSource: AnyObject {
    /// Nil where there is no such column.
    func value(of column: String) -> SQLValue?
}
