import Platform
import Queue
import Synchronization

/// The time for which an attempt holds its build, by a clock that only goes forward: neither a stopped process nor a
/// changed time of day makes it longer.
final class Lease: Sendable {
    private let hold: Hold
    private let length: Duration
    private let end: Mutex<ContinuousClock.Instant>

    /// - Parameter asked: the moment before the store was asked for it: what the store gave ends no sooner.
    init(_ hold: Hold, length: Duration, asked: ContinuousClock.Instant) {
        self.hold = hold
        self.length = length
        end = Mutex(asked + length - Self.margin(length))
    }

    /// So much sooner it is taken for over, as what was begun under it takes a moment to end.
    private static func margin(_ length: Duration) -> Duration { min(length / 10, .seconds(2)) }

    /// What is left of it; nil where it is over.
    var rest: Duration? {
        let rest = end.withLock { $0 } - .now
        return rest > .zero ? rest : nil
    }

    /// - Throws: `LeaseLost` where it is over: the build may be another attempt's by now.
    func check(_ operation: String) throws {
        if rest == nil { throw LeaseLost(hold, operation) }
    }

    /// - Throws: `LeaseLost` where the attempt no longer holds the build; `StoreError`.
    func renew(in store: any Store) async throws {
        let asked = ContinuousClock.now
        try check("renew")
        try await store.renew(hold, lease: length)
        end.withLock { $0 = asked + length - Self.margin(length) }
    }

    /// Comes back only by throwing.
    ///
    /// - Throws: `LeaseLost` once it is over; `CancellationError`.
    func expire() async throws {
        while let rest { try await Task.sleep(for: rest) }
        try check("renew")
    }
}
