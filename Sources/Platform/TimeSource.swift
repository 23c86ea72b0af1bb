import Foundation

/// The time of day and the passing of time, so that tests need not wait for either.
package protocol TimeSource: Sendable {
    var now: Date { get }
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    func sleep(for duration: Duration) async throws
}

package struct SystemTime: TimeSource {
    package init() {}

    /// Whole milliseconds, as they are stored and shown.
    package var now: Date {
        Date(timeIntervalSince1970: (Date().timeIntervalSince1970 * 1000).rounded(.down) / 1000)
    }

    package func sleep(for duration: Duration) async throws {
        try await Task.sleep(for: duration)
    }
}

extension Duration {
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }

    /// A pause that grows: this one, doubled so many times, up to a limit.
    package func doubled(_ times: Int, atMost limit: Duration) -> Duration {
        min(self * (1 << min(max(times, 0), 16)), limit)
    }
}

/// Runs an operation with a bound on its time.
///
/// - Returns: the operation's result, or nil where the time ran out; the operation is then cancelled and waited for.
package func withDeadline<Value: Sendable>(
    _ limit: Duration, _ operation: @escaping @Sendable () async throws -> Value
) async rethrows -> Value? {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try? await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
