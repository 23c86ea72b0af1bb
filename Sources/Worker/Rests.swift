import Foundation
import Model
import Platform
import Registry

/// The registries, and the images in them, that are not asked for a while because they failed.
struct Rests {
    static let shortest = Duration.seconds(60)
    static let longest = Duration.seconds(3600)

    private struct Rest {
        var until: Date
        var failures: Int
    }

    /// By the registry's host where it is all of it that fails, else by the image.
    private var rests: [String: Rest] = [:]

    func isResting(_ image: ImageName, _ now: Date) -> Bool {
        [image.registry, image.text].contains { rests[$0].map { $0.until > now } ?? false }
    }

    mutating func answered(_ image: ImageName) {
        rests[image.registry] = nil
        rests[image.text] = nil
    }

    /// - Returns: for how long it rests: each time twice as long, and as long as the registry says.
    mutating func failed(_ image: ImageName, _ error: RegistryError, _ now: Date) -> Duration {
        let key = error.isTransient ? image.registry : image.text
        // Requests that were under way together fail together.
        if let rest = rests[key], rest.until > now { return .seconds(rest.until.timeIntervalSince(now)) }
        let failures = (rests[key]?.failures ?? 0) + 1
        var pause = Self.shortest.doubled(failures - 1, atMost: Self.longest)
        if case .tooManyRequests(_, let seconds?) = error { pause = max(pause, .seconds(seconds)) }
        rests[key] = Rest(until: now.addingTimeInterval(pause.seconds), failures: failures)
        return pause
    }
}
