import Foundation
import Platform
import Synchronization

/// Counts and logs the requests that are turned away: at most a line a second for each reason, with how many it stands
/// for, so that a flood can't fill the log.
final class TurnedAway: Sendable {
    private struct Tally {
        var count = 0
        /// Of those, how many no line has told of.
        var untold = 0
        /// Whether a line was written less than a second ago.
        var rests = false
    }

    private let tallies = Mutex<[Gate.Reason: Tally]>([:])
    private let time: any TimeSource
    private let log: Log

    init(time: any TimeSource, log: Log) {
        self.time = time
        self.log = log
    }

    /// How many there were since the start, of each reason that there is.
    var counts: [String: Int] {
        tallies.withLock { tallies in
            Dictionary(uniqueKeysWithValues: Gate.Reason.allCases.map { ($0.rawValue, tallies[$0]?.count ?? 0) })
        }
    }

    func add(_ event: Gate.Event) {
        let untold = tallies.withLock { tallies -> Int? in
            var tally = tallies[event.reason, default: Tally()]
            defer { tallies[event.reason] = tally }
            tally.count += 1
            tally.untold += 1
            guard !tally.rests else { return nil }
            defer { tally.untold = 0 }
            tally.rests = true
            return tally.untold
        }
        guard let untold else { return }
        write(event, untold)
        // It ends by itself when a second brings none.
        Task { [weak self, time] in
            while (try? await time.sleep(for: .seconds(1))) != nil, let self, let untold = self.restOver(event.reason) {
                self.write(event, untold)
            }
        }
    }

    /// - Returns: how many came during the second; nil where none did, and the next is told at once.
    private func restOver(_ reason: Gate.Reason) -> Int? {
        tallies.withLock { tallies in
            let untold = tallies[reason]?.untold ?? 0
            tallies[reason]?.untold = 0
            tallies[reason]?.rests = untold > 0
            return untold > 0 ? untold : nil
        }
    }

    private func write(_ event: Gate.Event, _ untold: Int) {
        log.warning(
            "turned away: \(event.sentence)",
            ["reason": event.reason.rawValue, "times": untold, "path": event.path, "from": event.address])
    }
}
