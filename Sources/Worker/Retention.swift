import Model
import Platform
import Queue

/// Removes what of the history is not to be kept, a little at a time: intake writes in between.
struct Retention: Sendable {
    /// How many builds, logs and deliveries go in one transaction.
    static let step = 100

    let store: any Store
    let time: any TimeSource

    /// - Returns: what was removed.
    /// - Throws: `StoreError`; `CancellationError` when the task is cancelled, and what was removed until then stays so.
    func prune(_ keep: Keep) async throws -> Pruned {
        let clock = ContinuousClock()
        var all = Pruned()
        while true {
            let start = clock.now
            let pruned = try await store.prune(keep, limit: Self.step)
            guard !pruned.isNothing else { return all }
            all.builds += pruned.builds
            all.logs += pruned.logs
            all.deliveries += pruned.deliveries
            // Others have the database for as long as this had it, at least.
            try await time.sleep(for: max(clock.now - start, .milliseconds(20)))
        }
    }
}
