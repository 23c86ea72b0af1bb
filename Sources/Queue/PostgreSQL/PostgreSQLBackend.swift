import Foundation
import Model
import Platform
import Synchronization

/// A PostgreSQL server, by way of a few connections.
///
/// What can't be reached is tried again for a while: a server that begins anew, or one that another takes the place of,
/// costs time only.
final class PostgreSQLBackend: Backend {
    let isShared = true
    private let connections: ConnectionPool<PostgreSQLConnection>
    private let listener: PostgreSQLConnection
    private let isPooled: Bool
    /// So long a call waits for a server.
    private let patience: Duration
    private let listening = Mutex<Task<Void, Never>?>(nil)
    private let step = Mutex(SchemaStep(before: 0, now: 0))

    var schema: SchemaStep { step.withLock(\.self) }

    /// Opens the database, and brings its schema to this version.
    ///
    /// - Parameter time: what stands in for the database's time, for tests.
    /// - Throws: `StoreError`, also for a schema that a newer Slipway has made.
    init(_ address: PostgreSQLAddress, patience: Duration, time: (any TimeSource)?) async throws {
        let sender = "\(UInt32.random(in: 0...UInt32.max))"
        connections = ConnectionPool(
            (0..<max(1, address.connections)).map { _ in PostgreSQLConnection(address, sender: sender, time: time) })
        listener = PostgreSQLConnection(address, sender: sender, time: time)
        isPooled = address.isPooled
        self.patience = patience
        let step = try await write("migrate", isPatient: true) {
            try PostgreSQLMigration.run(PostgreSQLMigration.all, on: $0)
        }.0
        self.step.withLock { $0 = step }
    }

    func write<Result: Sendable>(
        _ operation: String, isPatient: Bool, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> (Result, told: [ChangeTopic]) {
        try await run(operation, .readWrite, for: isPatient ? patience : min(patience, .seconds(1)), body)
    }

    func read<Result: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result {
        try await run(operation, .readOnly, for: patience, body).0
    }

    private func run<Result: Sendable>(
        _ operation: String, _ access: Access, for patience: Duration,
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> (Result, told: [ChangeTopic]) {
        let end = ContinuousClock.now + patience
        var tries = 0
        while true {
            do {
                return try await connections.use { try await $0.transaction(operation, access, until: end, body) }
            } catch let error as StoreError where error.kind == .unreachable || error.kind == .conflict {
                tries += 1
                let pause =
                    Duration.milliseconds(50).doubled(tries - 1, atMost: .seconds(1)) * Double.random(in: 0.5...1)
                guard ContinuousClock.now + pause < end, error.kind == .unreachable || tries < 10 else { throw error }
                // Also for a task that is cancelled: an attempt that ends so has its end to store.
                await Task { try? await Task.sleep(for: pause) }.value
            }
        }
    }

    // MARK: Listening

    /// So often it is looked at what may have changed unheard.
    private static let looking = Duration.seconds(10)
    private static let lookingPooled = Duration.seconds(1)

    func listen(_ heard: @escaping @Sendable ([ChangeTopic]?) -> Void) {
        let task = Task { [listener, isPooled] in
            var looked = ContinuousClock.now
            while !Task.isCancelled {
                do {
                    if isPooled {
                        try await Task.sleep(for: Self.lookingPooled)
                        heard(nil)
                    } else {
                        let topics = try await listener.heard(within: .seconds(1))
                        if topics?.isEmpty != true { heard(topics) }
                        if ContinuousClock.now - looked > Self.looking {
                            looked = .now
                            heard(nil)
                        }
                    }
                } catch {
                    // Whoever asks for something meanwhile is told why it can't be had.
                    try? await Task.sleep(for: .seconds(1))
                }
            }
            await listener.close()
        }
        listening.withLock { $0 = task }
    }

    func backup(to path: String) async throws {
        throw StoreError(
            .failed, "its copies are PostgreSQL's own: pg_dump, or the server's continuous archiving",
            operation: "backup", database: "of PostgreSQL")
    }

    func close() async {
        let task = listening.withLock { $0 }
        task?.cancel()
        await task?.value
        await connections.close { await $0.close() }
    }
}

extension DatabaseStore {
    /// Opens a database of a PostgreSQL server, and brings its schema to this version.
    ///
    /// - Parameters:
    ///   - patience: so long a call waits for a server that can't be reached.
    ///   - time: what stands in for the database's time, for tests.
    /// - Throws: `StoreError`, also for a database that a newer Slipway has written.
    package static func open(
        postgreSQL address: PostgreSQLAddress, patience: Duration = .seconds(20), time: (any TimeSource)? = nil
    ) async throws -> DatabaseStore {
        DatabaseStore(try await PostgreSQLBackend(address, patience: patience, time: time))
    }
}
