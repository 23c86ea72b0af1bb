import Platform
import Synchronization

/// Something that happens once in one task and is waited for in another.
package final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() {
        (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    }

    package func fire() {
        continuation.finish()
    }

    /// - Returns: false where it didn't happen before the deadline.
    package func wait(_ limit: Duration = .seconds(240)) async -> Bool {
        await withDeadline(limit) { [stream] in
            for await _ in stream {}
            return !Task.isCancelled
        } ?? false
    }
}

/// Asks again and again, for conditions that nobody tells about.
///
/// - Returns: false where it wasn't so before the deadline.
package func eventually(
    _ limit: Duration = .seconds(240), _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        if ContinuousClock.now > end { return false }
        await Task.yield()
    }
    return true
}
