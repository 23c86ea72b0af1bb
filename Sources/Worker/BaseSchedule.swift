import Foundation
import Model
import Platform

/// When each image that builds stand on is looked at next, where nobody tells that it moved.
struct BaseSchedule {
    /// The looks of a start are spread over this time, or over that between two looks where it is shorter.
    static let spread = Duration.seconds(300)
    /// How often it is looked what is due, at the most seldom.
    static let longestStep = Duration.seconds(60)

    private var turns: [ImageReference: Date] = [:]
    /// Looks that came to nothing, and are to come again whether images are looked at regularly or not.
    private var again: [ImageReference: Date] = [:]
    private var hasBegun = false
    /// A factor near 1, so that images don't all come due together.
    private let jitter: @Sendable () -> Double

    init(jitter: @escaping @Sendable () -> Double = { .random(in: 0.9...1.1) }) {
        self.jitter = jitter
    }

    /// How long to wait before the next question.
    static func step(_ poll: Duration?) -> Duration {
        poll.map { min(max($0 / 10, .seconds(1)), longestStep) } ?? longestStep
    }

    /// Those of the images in use that are due now; each is due again after `poll`, nil being never.
    mutating func due(_ inUse: [ImageReference], poll: Duration?, now: Date) -> Set<ImageReference> {
        let known = Set(inUse)
        again = again.filter { known.contains($0.key) }
        var due = Set(again.filter { $0.value <= now }.keys)
        for image in due { again[image] = nil }
        guard let poll else {
            turns = [:]
            hasBegun = false
            return due
        }
        turns = turns.filter { known.contains($0.key) }
        let spread = min(Self.spread, poll).seconds
        for (place, image) in inUse.enumerated() {
            guard let turn = turns[image] else {
                // One that is new was asked for by its build just now.
                turns[image] =
                    hasBegun
                    ? next(poll, now) : now.addingTimeInterval(spread * Double(place + 1) / Double(inUse.count))
                continue
            }
            // Sooner than it was to be, where the settings or the clock were changed meanwhile.
            turns[image] = min(turn, now.addingTimeInterval(poll.seconds * 1.1))
            guard turn <= now else { continue }
            due.insert(image)
            turns[image] = next(poll, now)
        }
        hasBegun = true
        return due
    }

    /// A look that came to nothing is to come again.
    mutating func again(_ images: some Sequence<ImageReference>, after pause: Duration, now: Date) {
        for image in images { again[image] = now.addingTimeInterval(pause.seconds) }
    }

    private func next(_ poll: Duration, _ now: Date) -> Date { now.addingTimeInterval(poll.seconds * jitter()) }
}
