import Platform

/// The pauses and bounds of a worker; tests make them short.
package struct Pace: Sendable {
    /// How long a claim holds without being renewed.
    var lease: Duration = .seconds(20)
    var renewal: Duration = .seconds(5)
    /// Between two looks for lost attempts: one is found within this and a lease.
    var rescue: Duration = .seconds(5)
    /// Until an engine or a database that is not there is asked for again.
    var absence: Duration = .seconds(5)
    /// After a first failure; doubled with each.
    var firstRetry: Duration = .seconds(5)
    var longestRetry: Duration = .seconds(600)
    /// The most that a registry's `Retry-After` is followed.
    var longestWish: Duration = .seconds(3600)

    package init() {}

    /// How long a build waits for another attempt.
    ///
    /// - Parameters:
    ///   - retry: which one it is, from 1.
    ///   - wish: how long whoever failed us wants to be left alone.
    ///   - jitter: the share of the pause that is taken, so that what failed together does not come back together.
    func pause(before retry: Int, wish: Duration?, jitter: Double = .random(in: 0.8...1.2)) -> Duration {
        max(firstRetry.doubled(retry - 1, atMost: longestRetry) * jitter, min(wish ?? .zero, longestWish))
    }
}
