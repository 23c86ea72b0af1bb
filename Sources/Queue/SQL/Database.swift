import Foundation
import Model

/// The queue's tables, by way of one session: what SQLite and PostgreSQL do alike.
///
/// SQLite has one writer at a time. On PostgreSQL transactions run side by side (READ COMMITTED): where one reads what
/// decides its changes, it first locks what it reads about, with `lock` or `Dialect.locking`.
final class Database {
    let session: any Session
    let rules = RuleCache()
    private var topics: [ChangeTopic] = []
    private var newRows = NewRows()
    /// A row that only this transaction can have made, where it makes one: by it one sees whether it was kept.
    private var evidence: Evidence?

    init(_ session: any Session) {
        self.session = session
    }

    /// Where the database is, for errors.
    var path: String { session.place }
    var operation: String { session.operation }
    var dialect: Dialect { session.dialect }
    /// The time that the transaction is of.
    var now: Date { get throws { try session.now() } }

    /// Runs `body` in one transaction: all that it changed is kept, or nothing.
    ///
    /// - Parameter isKept: what became of a transaction whose end was not told.
    /// - Returns: also what it told of.
    func transaction<Result>(
        _ operation: String, _ access: Access, _ body: (Database) throws -> Result,
        isKept: (OutcomeUnknown) throws -> Bool = { throw $0.cause }
    ) throws -> (Result, told: [ChangeTopic]) {
        session.operation = operation
        (topics, newRows, evidence) = ([], NewRows(), nil)
        do {
            try session.begin(access)
            let result = try body(self)
            try writeNewRows()
            let told = topics
            do {
                try session.commit(telling: told)
            } catch var unknown as OutcomeUnknown {
                unknown.evidence = evidence
                guard try isKept(unknown) else { throw unknown.cause }
            }
            return (result, told)
        } catch {
            try session.rollBack()
            throw told(error)
        }
    }

    /// Only of what no other transaction makes.
    func prove(by evidence: Evidence) { self.evidence = evidence }

    /// Once the transaction is kept, those who listen hear that something changed.
    func tell(_ topics: [ChangeTopic]) { self.topics += topics }

    func tell(stopOf builds: [Build.ID]) { tell(builds.flatMap { [.build($0), .stop($0)] }) }

    /// The error as the store's caller is to see it: text in the database that can't be read is the database's fault.
    private func told(_ error: any Error) -> any Error {
        guard let invalid = error as? InvalidText else { return error }
        return StoreError(.unreadable, invalid.description, operation: operation, database: path)
    }

    /// Adds a row: on PostgreSQL together with others, and before anything else is done.
    func add(_ row: NewRow, _ values: any Storable...) throws {
        switch dialect {
        case .sqlite: try session.send(row.sql, values)
        case .postgreSQL: newRows.add(row, values)
        }
    }

    private func writeNewRows() throws {
        if newRows.isEmpty { return }
        defer { newRows = NewRows() }
        try newRows.write(to: session)
    }

    /// Runs a statement whose effect nobody counts.
    func run(_ sql: String, _ arguments: any Storable...) throws {
        try run(sql, list: arguments)
    }

    func run(_ sql: String, list arguments: [any Storable]) throws {
        try writeNewRows()
        try session.send(sql, arguments)
    }

    /// - Returns: how many rows were changed.
    func count(_ sql: String, _ arguments: any Storable...) throws -> Int {
        try writeNewRows()
        return try session.step(sql, arguments) { _ in true }
    }

    /// - Returns: what `read` makes of every row.
    func all<Result>(_ sql: String, _ arguments: any Storable..., read: (Row) throws -> Result) throws -> [Result] {
        try all(sql, list: arguments, read: read)
    }

    func all<Result>(_ sql: String, list arguments: [any Storable], read: (Row) throws -> Result) throws -> [Result] {
        try writeNewRows()
        var results: [Result] = []
        _ = try session.step(sql, arguments) {
            results.append(try read($0))
            return true
        }
        return results
    }

    /// - Returns: what `read` makes of the first row, or nil where there is none.
    func first<Result>(_ sql: String, _ arguments: any Storable..., read: (Row) throws -> Result) throws -> Result? {
        try all(sql, list: arguments, read: read).first
    }

    /// As `all`, but looked at later: questions that don't wait for each other's answers are asked together.
    func ask<Result>(
        _ sql: String, _ arguments: any Storable..., read: @escaping (Row) throws -> Result
    ) throws -> Later<Result> {
        try ask(sql, list: arguments, read: read)
    }

    func ask<Result>(
        _ sql: String, list arguments: [any Storable], read: @escaping (Row) throws -> Result
    ) throws -> Later<Result> {
        try writeNewRows()
        return try session.ask(sql, arguments, read)
    }

    /// - Returns: the first that `read` makes of a row; rows after it aren't looked at.
    func search<Result>(
        _ sql: String, list arguments: [any Storable], read: (Row) throws -> Result?
    ) throws -> Result? {
        try writeNewRows()
        var found: Result?
        _ = try session.step(sql, arguments) {
            found = try read($0)
            return found == nil
        }
        return found
    }

    /// Makes other transactions that lock the same wait for the end of this one. SQLite's wait for each other anyway.
    func lock(_ names: [String]) throws {
        guard dialect == .postgreSQL else { return }
        // In one order, so that none waits for another that waits for it.
        for name in Set(names).sorted() { try run("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", name) }
    }

    /// The same, but those who lock it so do not wait for each other.
    func lock(shared name: String) throws {
        guard dialect == .postgreSQL else { return }
        try run("SELECT pg_advisory_xact_lock_shared(hashtextextended(?, 0))", name)
    }

    /// The same for the changes of one build.
    func lock(_ build: Build.ID) throws {
        guard dialect == .postgreSQL else { return }
        try run("SELECT 1 FROM builds WHERE id = ? FOR UPDATE", build)
    }
}

/// The connection was lost after a transaction was to be kept and before the database said that it was.
struct OutcomeUnknown: Error {
    /// The database's number of the transaction.
    let transaction: String
    let cause: StoreError
    var evidence: Evidence?
}

/// A query that finds something where a transaction was kept, and else nothing.
struct Evidence: Sendable {
    let sql: String
    let arguments: [any Storable & Sendable]
}
