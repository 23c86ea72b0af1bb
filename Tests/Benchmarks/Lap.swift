/// One timed run and its parts, in seconds.
struct Lap: Sendable {
    private(set) var parts: [(name: String, seconds: Double)] = []
    private(set) var total = 0.0
    private let start = ContinuousClock.now

    /// Ends a part that began with the end of the one before.
    mutating func end(_ part: String) {
        let now = seconds(since: start)
        parts.append((part, now - total))
        total = now
    }

    /// Ends the run, with parts that someone else has timed.
    mutating func end(parts: [(name: String, seconds: Double)]) {
        total = seconds(since: start)
        self.parts = parts
    }
}

/// Seconds on the clock that no one sets.
func seconds(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .seconds(1)
}
