import Synchronization

/// A few connections for many calls, which wait in the order in which they came.
final class ConnectionPool<Connection: Sendable>: Sendable {
    private struct State {
        var idle: [Connection]
        var waiting: [CheckedContinuation<Connection, Never>] = []
    }

    private let all: [Connection]
    private let state: Mutex<State>

    init(_ connections: [Connection]) {
        all = connections
        state = Mutex(State(idle: connections))
    }

    func use<Result: Sendable>(_ body: (Connection) async throws -> Result) async rethrows -> Result {
        let connection = await take()
        defer { give(connection) }
        return try await body(connection)
    }

    /// Waits for what is being done, and ends all.
    func close(_ end: (Connection) async -> Void) async {
        for _ in all { await end(await take()) }
        for connection in all { give(connection) }
    }

    private func take() async -> Connection {
        // Each holds its connection for a bounded time, so that this ends.
        await withCheckedContinuation { answer in
            let connection = state.withLock { state -> Connection? in
                // The one used last: others may rest, and the server with them.
                if let connection = state.idle.popLast() { return connection }
                state.waiting.append(answer)
                return nil
            }
            if let connection { answer.resume(returning: connection) }
        }
    }

    private func give(_ connection: Connection) {
        let next = state.withLock { state -> CheckedContinuation<Connection, Never>? in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            state.idle.append(connection)
            return nil
        }
        next?.resume(returning: connection)
    }
}
