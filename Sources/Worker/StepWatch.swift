import Foundation
import Platform

/// Notices that the time of day was set, by a clock that only goes forward.
struct StepWatch {
    /// What clocks that are being adjusted differ by at most, between two looks.
    private static let tolerance = 1.0

    private let time: any TimeSource
    private let clock = ContinuousClock()
    private var last: (day: Date, instant: ContinuousClock.Instant)
    private var stepped: ContinuousClock.Instant?

    init(_ time: any TimeSource) {
        self.time = time
        last = (time.now, clock.now)
    }

    /// Whether it was not set since the last look, nor for so long before.
    mutating func isSteady(for length: Duration) -> Bool {
        let now = (day: time.now, instant: clock.now)
        let passed = (now.instant - last.instant).seconds
        if abs(now.day.timeIntervalSince(last.day) - passed) > Self.tolerance { stepped = now.instant }
        last = now
        return stepped.map { now.instant - $0 > length } ?? true
    }
}
