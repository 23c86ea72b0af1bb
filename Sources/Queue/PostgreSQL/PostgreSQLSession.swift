import CPostgreSQL
import Foundation
import Model
import Platform

/// A connection to a PostgreSQL server.
///
/// Statements whose rows nobody waits for go out with the next, and their answers come together ("34.5. Pipeline Mode").
/// Every wait for the server has a bound, and ends when the task is cancelled that reads only.
final class PostgreSQLSession: Session {
    /// A statement that went out and whose answer was not read yet.
    private struct Sent {
        let sql: String
        /// The name under which the server keeps it from then on.
        var prepared: PostgreSQLStatement?
        var read: ((PostgreSQLResult) throws -> Void)?
        /// Whether its error is nobody's.
        var mayFail = false
    }

    /// So long an answer may take. A server that is gone is found out sooner, by TCP's own means.
    static let answerLimit = Duration.seconds(30)

    let place: String
    let dialect = Dialect.postgreSQL
    var operation = "open"
    /// Whether the connection is lost, or in no state to be used on.
    private(set) var isLost = false
    let handle: OpaquePointer
    private let wire: PostgreSQLWire
    private let isPooled: Bool
    private let sender: String
    private let time: (any TimeSource)?
    private var access = Access.readOnly
    /// Whether what is done ends where its task is cancelled: a change never, nor what a task asks once it is.
    private var isPatient = true
    private var began: Date?
    /// What tells, beside its number, a transaction from those of a server that took the database's place: in SQL.
    private(set) var life = PostgreSQLSession.timeline
    private var transaction = ""
    private var sent: [Sent] = []
    private var statements: [PostgreSQLStatement: String] = [:]

    /// - Parameters:
    ///   - sender: tells this process's notices from those of others.
    ///   - time: what stands in for the database's time, for tests.
    /// - Throws: `StoreError` where the server can't be reached, lets nobody in, or takes no changes.
    init(_ address: PostgreSQLAddress, sender: String, time: (any TimeSource)?) throws {
        let (handle, place) = try PostgreSQLWire.connect(address)
        self.handle = handle
        self.place = place
        self.sender = sender
        self.time = time
        isPooled = address.isPooled
        wire = PostgreSQLWire(handle)
        try setUp()
    }

    deinit { PQfinish(handle) }

    private func setUp() throws {
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw lost() }
        do {
            try send("SELECT \(life)", [])
            try finish()
        } catch is StoreError where !isLost {
            life = Self.sinceStart
        }
        // Behind a pooler each transaction says it anew.
        if isPooled { return }
        // The server is to find out as soon as we do that the other end is gone: it holds our locks meanwhile.
        try send(
            """
            SELECT \(Self.parameters(areLocal: false)),
                set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
                set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '10s', false)
            """, [])
        try finish()
    }

    // MARK: Transactions

    func now() throws -> Date {
        if began == nil, !sent.isEmpty { try finish() }
        guard let began else {
            throw StoreError(.failed, "there is no transaction", operation: operation, database: place)
        }
        return began
    }

    func begin(_ access: Access) throws {
        guard !isLost, sent.isEmpty else { throw lost() }
        self.access = access
        isPatient = access == .readWrite || Task.isCancelled
        began = nil
        transaction = ""
        let parameters = isPooled ? Self.localParameters : ""
        switch access {
        case .readWrite:
            try send("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", [])
            // By its number one can ask what became of it.
            try send(
                """
                SELECT clock_timestamp() AS now, \(life) || ' ' || pg_current_xact_id() AS transaction\(parameters)
                """, []
            ) {
                self.began = try self.time?.now ?? Row(source: $0).get("now")
                self.transaction = try Row(source: $0).get("transaction")
            }
        case .readOnly:
            try send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", [])
            try send("SELECT clock_timestamp() AS now\(parameters)", []) {
                self.began = try self.time?.now ?? Row(source: $0).get("now")
            }
        }
    }

    func commit(telling told: [ChangeTopic]) throws {
        if access == .readWrite, transaction.isEmpty { try finish() }
        do {
            try send("COMMIT", [])
            // Behind it, in a transaction of their own: those that tell of something wait for each other until they are
            // kept ("NOTIFY"), and so would not share their ways to the disk. What is not told is found by looking.
            for notice in PostgreSQLNotice.texts(told, from: sender) {
                try send("SELECT pg_notify('\(PostgreSQLNotice.channel)', ?)", [notice], read: nil, mayFail: true)
            }
            try finish()
        } catch let error as StoreError where isLost && access == .readWrite {
            throw OutcomeUnknown(transaction: transaction, cause: error)
        }
    }

    func rollBack() throws {
        // What went out is answered first, however.
        try? finish()
        sent = []
        if isLost { return }
        do {
            try send("ROLLBACK", [])
            try finish()
        } catch {
            // The server does it itself where the connection ends.
            isLost = true
        }
    }

    // MARK: Statements

    func send(_ sql: String, _ arguments: [any Storable]) throws { try send(sql, arguments, read: nil) }

    func ask<Value>(
        _ sql: String, _ arguments: [any Storable], _ read: @escaping (Row) throws -> Value
    ) throws -> Later<Value> {
        var answer: PostgreSQLResult?
        try send(sql, arguments) { answer = $0 }
        return Later { [unowned self] in
            if answer == nil { try finish() }
            guard let answer else { throw lost() }
            return try (0..<answer.count).map { row in
                answer.row = row
                return try read(Row(source: answer))
            }
        }
    }

    func step(_ sql: String, _ arguments: [any Storable], _ next: (Row) throws -> Bool) throws -> Int {
        var answer: PostgreSQLResult?
        try send(sql, arguments) { answer = $0 }
        try finish()
        guard let answer else { throw lost() }
        // Only now: what it is read by may ask for more.
        for row in 0..<answer.count {
            answer.row = row
            guard try next(Row(source: answer)) else { break }
        }
        return answer.changed
    }

    private func send(
        _ sql: String, _ arguments: [any Storable], read: ((PostgreSQLResult) throws -> Void)?, mayFail: Bool = false
    ) throws {
        if isLost { throw lost() }
        // So that neither end has to keep much of what the other has not taken.
        if sent.count >= 256 { try finish() }
        let statement = PostgreSQLStatement(sql: sql, types: arguments.map { Swift.type(of: $0).type })
        if isPooled {
            guard wire.send(statement, arguments) else { throw lost() }
        } else {
            if statements[statement] == nil {
                let name = "s\(statements.count)_\(UInt32.random(in: 0...UInt32.max))"
                guard wire.prepare(statement, as: name) else { throw lost() }
                sent.append(Sent(sql: sql, prepared: statement, mayFail: mayFail))
                statements[statement] = name
            }
            guard wire.send(named: statements[statement] ?? "", arguments) else { throw lost() }
        }
        sent.append(Sent(sql: sql, read: read, mayFail: mayFail))
    }

    /// Reads the answers to all that was sent.
    ///
    /// - Throws: the first error among them.
    private func finish() throws {
        guard !sent.isEmpty else { return }
        let sent = sent
        self.sent = []
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        var first: (any Error)?
        for entry in sent {
            let result = try answer()
            guard let result, try answer() == nil else { throw lost() }
            do {
                if let error = result.error(operation, entry.sql, place) {
                    if let statement = entry.prepared { statements[statement] = nil }
                    if entry.mayFail { continue }
                    throw error
                }
                if result.isAborted, let statement = entry.prepared { statements[statement] = nil }
                if !result.isAborted { try entry.read?(result) }
            } catch {
                first = first ?? error
            }
        }
        guard try answer()?.isSync == true else { throw lost() }
        if let first {
            // A standby that is not to change, or a server that ends: another connection may lead elsewhere.
            if let error = first as? StoreError, error.kind == .unreachable { isLost = true }
            throw first
        }
    }

    /// The next answer; nil at the end of each statement's.
    private func answer() throws -> PostgreSQLResult? {
        do {
            return try wire.answer(within: Self.answerLimit) { !isPatient && Task.isCancelled }
        } catch is CancellationError {
            wire.cancel()
            isLost = true
            throw CancellationError()
        } catch {
            throw lost(error)
        }
    }

    private func lost(_ cause: (any Error)? = nil) -> StoreError {
        isLost = true
        sent = []
        let words = cause.map { "\($0)" } ?? wire.message
        return StoreError(
            .unreachable, words.isEmpty ? "the connection was lost" : words, operation: operation, database: place)
    }

    // MARK: Notices

    /// Hears of what other processes tell from now on.
    func startListening() throws {
        try send("LISTEN \(PostgreSQLNotice.channel)", [])
        try finish()
    }

    /// Waits for notices of others for at most `limit`.
    func heard(within limit: Duration) throws -> [ChangeTopic] {
        do {
            return try wire.notices(within: limit).flatMap { PostgreSQLNotice.topics(of: $0, except: sender) }
        } catch {
            throw lost(error)
        }
    }
}
