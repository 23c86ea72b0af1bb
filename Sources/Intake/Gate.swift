import Foundation
import Model
import Platform
import Settings
import Synchronization

/// Keeps callers within the limits, and counts those that are turned away.
///
/// What proves whom it comes from is limited by its token. What proves nothing is limited by its address, and its answer
/// is held back, so that guessing costs the caller time. Signed webhooks are limited by neither: a Git host sends those
/// of everybody from one address.
package final class Gate: Sendable {
    /// Why a request is turned away.
    package enum Reason: String, Sendable, CaseIterable {
        case wrongSignature = "wrong_signature"
        case unknownToken = "unknown_token"
        case unknownRepository = "unknown_repository"
        case rate
        case queueFull = "queue_full"
        case unreadable
    }

    /// A request that was turned away.
    package struct Event: Sendable {
        package var reason: Reason
        /// What its sender was told.
        package var sentence: String
        /// Without secrets.
        package var path: String
        package var address: String

        package init(_ reason: Reason, _ sentence: String, path: String, address: String) {
            self.reason = reason
            self.sentence = sentence
            self.path = path
            self.address = address
        }
    }

    /// Answers that are held back at once; each keeps a connection.
    package static let mostHeld = 64

    private struct State {
        var tokens = Buckets<String>()
        /// By the caller's network; nil where the address is none that can be read.
        var addresses = Buckets<IPNetwork?>()
        var held = 0
    }

    private let settings: LiveSettings
    private let time: any TimeSource
    private let state = Mutex(State())
    private let turned: TurnedAway

    package init(_ settings: LiveSettings, time: any TimeSource, log: Log) {
        self.settings = settings
        self.time = time
        turned = TurnedAway(time: time, log: log)
    }

    /// How many requests were turned away since the start, by `Reason`.
    package var turnedAway: [String: Int] { turned.counts }

    /// Notes a request that is turned away.
    package func turnAway(_ event: Event) {
        turned.add(event)
    }

    /// Takes one of the requests that a token may send.
    ///
    /// - Parameter token: as a sentence calls it: `the access token "ops"`.
    package func admit(_ token: String) throws(TooManyRequests) {
        guard let rate = settings.now.limits.perToken else { return }
        let now = time.now
        guard let wait = state.withLock({ $0.tokens.take(token, at: rate, now: now) }) else { return }
        throw TooManyRequests("\(token) may send \(rate.count) requests in \(rate.period) s", after: wait)
    }

    /// Takes one of the requests that an address may send which prove nothing, and do little.
    package func admit(from address: String) throws(TooManyRequests) {
        guard let rate = settings.now.limits.perAddress else { return }
        let now = time.now
        let wait = state.withLock { $0.addresses.take(IPNetwork(address)?.caller, at: rate, now: now) }
        guard let wait else { return }
        throw TooManyRequests(
            "\(address) may send \(rate.count) requests in \(rate.period) s that prove nothing", after: wait)
    }

    /// Holds back the answer to a request that proved nothing.
    ///
    /// It returns early where the task is cancelled: the caller is gone, or the service stops.
    ///
    /// - Throws: `TooManyRequests` at once, where the address has sent too many such requests, or as many answers are
    ///   held back as may be.
    package func holdBack(_ address: String) async throws(TooManyRequests) {
        let network = IPNetwork(address)?.caller
        let limits = settings.now.limits
        let (now, delay) = (time.now, limits.delay)
        let (wait, isHeld) = state.withLock { state -> (Double?, Bool) in
            if let rate = limits.perAddress, let wait = state.addresses.take(network, at: rate, now: now) {
                return (wait, false)
            }
            guard delay > 0, state.held < Self.mostHeld else { return (nil, false) }
            state.held += 1
            return (nil, true)
        }
        if let wait, let rate = limits.perAddress {
            throw TooManyRequests(
                "\(address) may send \(rate.count) requests in \(rate.period) s whose signature, token or repository "
                    + "is wrong", after: wait)
        }
        guard delay > 0 else { return }
        guard isHeld else {
            throw TooManyRequests(
                "too many requests come whose signature, token or repository is wrong", after: Double(delay) / 1000)
        }
        defer { state.withLock { $0.held -= 1 } }
        // Its only error is the cancellation, which ends the wait as well as the time does.
        try? await time.sleep(for: .milliseconds(delay))
    }
}

/// The caller asks too often (429).
package struct TooManyRequests: Error, Equatable, CustomStringConvertible {
    /// When to ask again, in whole seconds.
    package let retryAfter: Int
    private let rule: String

    init(_ rule: String, after seconds: Double) {
        self.rule = rule
        retryAfter = max(1, Int(seconds.rounded(.up)))
    }

    package var description: String { "\(rule); ask again in \(retryAfter) s" }
}
