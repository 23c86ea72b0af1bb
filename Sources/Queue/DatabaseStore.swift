import Foundation
import Model
import Platform

/// The queue and its history in one database.
package final class DatabaseStore: Store {
    private let backend: any Backend
    let bell: Bell
    private let accepts = WriteLine<AcceptCall, [Acceptance]>(limit: 256)
    let appends = WriteLine<AppendCall, Void>(limit: 64)

    init(_ backend: any Backend) {
        self.backend = backend
        bell = Bell()
        backend.listen { [bell] topics in
            if let topics { bell.ring(topics) } else { bell.ringAll() }
        }
    }

    package var isShared: Bool { backend.isShared }
    /// What opening it did to its schema.
    package var schema: SchemaStep { backend.schema }

    func write<Result: Sendable>(
        _ operation: String, isPatient: Bool = true, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result {
        let (result, told) = try await backend.write(operation, isPatient: isPatient, body)
        bell.ring(told)
        return result
    }

    func read<Result: Sendable>(
        _ operation: String, _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws -> Result {
        try await backend.read(operation, body)
    }

    /// A change of one build by a worker, told to who listens once it is safe.
    func change(_ hold: Hold, _ operation: String, _ body: @escaping @Sendable (Database) throws -> Void) async throws {
        try await write(operation) {
            try $0.lock(hold.build)
            try body($0)
            $0.tell([.build(hold.build)])
        }
    }

    package func accept(_ deliveries: [NewDelivery], room: Room) async throws -> [Acceptance] {
        try await accepts.ask(AcceptCall(deliveries: deliveries, room: room)) { take in
            // One that is turned away would take the others with it, unless each had a savepoint.
            try await self.write("accept") { database in try database.accept(take()).map { .success($0) } }
        }
    }

    package func append(_ hold: Hold, log: Data) async throws {
        try await appends.ask(AppendCall(hold: hold, log: log)) { take in
            try await self.write("append") { database in
                // In one order, so that none waits for another that waits for it.
                let calls = take()
                for build in Set(calls.map(\.hold.build)).sorted() { try database.lock(build) }
                // An attempt that lost its lease changes nothing, and is nothing to the others.
                return try calls.map { call in
                    guard try database.append(call.hold, log: call.log) else {
                        return .failure(LeaseLost(call.hold, "append"))
                    }
                    database.tell([.build(call.hold.build)])
                    return .success(())
                }
            }
        }
    }

    package func changes(_ topic: ChangeTopic) -> AsyncStream<Void> { bell.listen(topic) }

    package func backup(to path: String) async throws { try await backend.backup(to: path) }

    package func probe() async throws { try await write("probe", isPatient: false) { try $0.probe() } }

    package func close() async {
        bell.close()
        await backend.close()
    }
}

/// A call of `accept`.
struct AcceptCall: Sendable {
    let deliveries: [NewDelivery]
    let room: Room
}

/// A call of `append`.
struct AppendCall: Sendable {
    let hold: Hold
    let log: Data
}
