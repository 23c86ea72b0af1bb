import Foundation
import Model

/// A bucket a key, that holds as much as the rate's burst, empties by use and fills evenly.
struct Buckets<Key: Hashable & Sendable>: Sendable {
    /// Keys that are remembered; beyond, the fullest buckets are forgotten, which is as if they were full.
    private let most: Int
    /// When each bucket is full again, in nanoseconds since the epoch (the generic cell rate algorithm, ITU-T I.371).
    private var full: [Key: Int64] = [:]

    init(most: Int = 10_000) {
        self.most = most
    }

    /// How many keys are remembered.
    var count: Int { full.count }

    /// Takes one out of a key's bucket.
    ///
    /// - Parameter rate: another than before holds at once: what was taken stays taken.
    /// - Returns: nil where there was one, else the seconds until there is.
    mutating func take(_ key: Key, at rate: Rate, now: Date) -> Double? {
        // Whole numbers: sums of fractions of a second would let too many through, or too few.
        let now = Int64(now.timeIntervalSince1970 * 1e9)
        let period = Int64(rate.period) * 1_000_000_000
        let each = period / Int64(rate.count)
        // The clock may have been set back: nobody waits for longer than an empty bucket takes.
        let filled = min(max(full[key] ?? now, now), now + period)
        let wait = filled + each - (now + period)
        if wait > 0 { return Double(wait) / 1e9 }
        if full[key] == nil, full.count >= most { forget(now) }
        full[key] = filled + each
        return nil
    }

    private mutating func forget(_ now: Int64) {
        full = full.filter { $0.value > now }
        guard full.count >= most else { return }
        // A quarter at once, so that the sorting comes seldom.
        for (key, _) in full.sorted(by: { $0.value < $1.value }).prefix(most / 4 + 1) { full[key] = nil }
    }
}
