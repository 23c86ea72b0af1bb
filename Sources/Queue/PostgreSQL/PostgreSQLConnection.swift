import Foundation
import Model
import Platform

/// Runs transactions over one connection on a thread of its own, one after the other; connects when it has to.
actor PostgreSQLConnection {
    private let executor = QueueExecutor(label: "slipway.postgresql")
    private let address: PostgreSQLAddress
    private let sender: String
    private let time: (any TimeSource)?
    private var session: PostgreSQLSession?
    private var database: Database?

    init(_ address: PostgreSQLAddress, sender: String, time: (any TimeSource)?) {
        self.address = address
        self.sender = sender
        self.time = time
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter end: until then it is asked what became of a transaction whose end was not told.
    /// - Throws: `StoreError`, and nothing was kept, or what `body` throws.
    func transaction<Result: Sendable>(
        _ operation: String, _ access: Access, until end: ContinuousClock.Instant,
        _ body: @Sendable (Database) throws -> Result
    ) throws -> (Result, told: [ChangeTopic]) {
        let rested = session?.isLost == false
        do {
            return try once(operation, access, until: end, body)
        } catch let error as StoreError
            where error.kind == .unreachable && rested && session?.isLost == true && ContinuousClock.now < end
        {
            // It may have been lost long before, which says nothing of the server as it is now.
            return try once(operation, access, until: end, body)
        }
    }

    private func once<Result: Sendable>(
        _ operation: String, _ access: Access, until end: ContinuousClock.Instant,
        _ body: @Sendable (Database) throws -> Result
    ) throws -> (Result, told: [ChangeTopic]) {
        let database = try opened(operation)
        return try database.transaction(operation, access, { try body($0) }) { unknown in
            try isKept(unknown, until: end)
        }
    }

    func close() { (session, database) = (nil, nil) }

    private func opened(_ operation: String) throws -> Database {
        if let database, session?.isLost == false { return database }
        close()
        let session = try PostgreSQLSession(address, sender: sender, time: time)
        let database = Database(session)
        (self.session, self.database) = (session, database)
        return database
    }

    /// What became of a transaction whose end was not told.
    ///
    /// After a crash the server gives its number to another, where nothing of it had come to the disk; evidence tells more.
    /// What has none is a step of a build, which whoever holds that finds missing at the next.
    ///
    /// - Throws: its own error where nobody can say: it may have been kept.
    private func isKept(_ unknown: OutcomeUnknown, until end: ContinuousClock.Instant) throws -> Bool {
        var pause = 0.05
        while ContinuousClock.now < end {
            do {
                let database = try opened(unknown.cause.operation)
                let life = session?.life ?? ""
                // One that is to be given only now was lost in a crash.
                let state =
                    try database.transaction("outcome", .readWrite) {
                        try $0.first(
                            """
                            SELECT CASE WHEN split_part(?1, ' ', 1) <> \(life) THEN 'elsewhere'
                                WHEN split_part(?1, ' ', 2)::xid8 >= pg_current_xact_id() THEN 'aborted'
                                ELSE pg_xact_status(split_part(?1, ' ', 2)::xid8) END AS state
                            """, unknown.transaction
                        ) { try $0.get("state", as: String?.self) }
                    }.0 ?? nil
                // In progress: the server hasn't seen yet that the connection is lost, and may keep it still.
                if state != "in progress", let evidence = unknown.evidence {
                    // In a transaction of its own: the one above may see less than what it was told of.
                    return try database.transaction("outcome", .readOnly) {
                        try !$0.all(evidence.sql, list: evidence.arguments) { _ in true }.isEmpty
                    }.0
                }
                if state == "elsewhere" {
                    throw StoreError(
                        .failed, "another server took its place meanwhile, and nobody knows whether this was kept",
                        operation: unknown.cause.operation, database: unknown.cause.database)
                }
                if let state, state != "in progress" { return state == "committed" }
            } catch let error as StoreError where ![.unreachable, .refused].contains(error.kind) {
                throw error
            } catch is StoreError {
                // Not reached, which is tried again.
            }
            // This thread is the connection's own.
            usleep(UInt32(pause * 1_000_000))
            pause = min(pause * 2, 1)
        }
        throw unknown.cause
    }

    // MARK: Listening

    /// Waits for what other processes tell for at most `limit`.
    ///
    /// - Returns: nil where it has just begun to hear: something may have been told before.
    func heard(within limit: Duration) throws -> [ChangeTopic]? {
        if let session, !session.isLost { return try session.heard(within: limit) }
        _ = try opened("listen")
        try session?.startListening()
        return nil
    }
}
