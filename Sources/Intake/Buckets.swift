import Foundation
import Model

/// A bucket a key, that holds as much as the rate's burst, empties by use and fills evenly.
struct Buckets<Key: Hashable & Sendable>: Sendable {
    private let rate: Rate
    /// Keys that are remembered; beyond, the fullest buckets are forgotten, which is as if they were full.
    private let most: Int
    /// When each bucket is full again, in seconds since the epoch (the generic cell rate algorithm, ITU-T I.371).
    private var full: [Key: Double] = [:]

    init(_ rate: Rate, most: Int = 10_000) {
        self.rate = rate
        self.most = most
    }

    /// How many keys are remembered.
    var count: Int { full.count }

    /// Takes one out of a key's bucket.
    ///
    /// - Returns: nil where there was one, else the seconds until there is.
    mutating func take(_ key: Key, now: Date) -> Double? {
        let now = now.timeIntervalSince1970
        let period = Double(rate.period)
        let each = period / Double(rate.count)
        // The clock may have been set back: nobody waits for longer than an empty bucket takes.
        let filled = min(max(full[key] ?? now, now), now + period)
        // A thousandth of one, so that a sum of fractions doesn't refuse the last.
        let wait = filled + each - (now + period)
        if wait > each / 1000 { return wait }
        if full[key] == nil, full.count >= most { forget(now) }
        full[key] = filled + each
        return nil
    }

    private mutating func forget(_ now: Double) {
        full = full.filter { $0.value > now }
        guard full.count >= most else { return }
        // A quarter at once, so that the sorting comes seldom.
        for (key, _) in full.sorted(by: { $0.value < $1.value }).prefix(most / 4 + 1) { full[key] = nil }
    }
}
