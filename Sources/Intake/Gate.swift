import Foundation
import Model
import Platform
import Queue
import Settings
import Synchronization

/// Keeps callers within the limits, and counts those that are turned away.
///
/// What proves whom it comes from is limited by its token. What proves nothing is limited by its address, and its answer
/// is held back, so that guessing costs the caller time. Signed webhooks are limited by neither: a Git host sends those
/// of everybody from one address. Servers that share a queue share the limits.
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
        /// By the caller's network.
        var addresses = Buckets<String>()
        var held = 0
    }

    private let settings: LiveSettings
    private let store: any Store
    private let time: any TimeSource
    private let state = Mutex(State())
    private let turned: TurnedAway
    private let log: Log

    package init(_ settings: LiveSettings, store: any Store, time: any TimeSource, log: Log) {
        self.settings = settings
        self.store = store
        self.log = log
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
    package func admit(_ token: String) async throws(TooManyRequests) {
        guard let rate = settings.now.limits.perToken, let wait = await take(token, of: \.tokens, at: rate) else {
            return
        }
        throw TooManyRequests("\(token) may send \(rate.count) requests in \(rate.period) s", after: wait)
    }

    /// Takes one of the requests that an address may send which prove nothing, and do little.
    package func admit(from address: String) async throws(TooManyRequests) {
        try await admit(from: address, "that prove nothing")
    }

    private func admit(from address: String, _ what: String) async throws(TooManyRequests) {
        let caller = IPNetwork(address).map { "\($0.caller)" } ?? "no address"
        guard let rate = settings.now.limits.perAddress, let wait = await take(caller, of: \.addresses, at: rate) else {
            return
        }
        throw TooManyRequests(
            "\(address) may send \(rate.count) requests in \(rate.period) s \(what)", after: wait)
    }

    /// Takes one out of a bucket: of this server's, and where it is in there, of that which all servers share.
    ///
    /// - Returns: nil where there was one, else the seconds until there is.
    private func take(
        _ key: String, of buckets: any WritableKeyPath<State, Buckets<String>> & Sendable, at rate: Rate
    ) async -> Double? {
        let now = time.now
        if let wait = state.withLock({ $0[keyPath: buckets].take(key, at: rate, now: now) }) { return wait }
        guard store.isShared else { return nil }
        do {
            return try await store.take(from: key, at: rate)?.seconds
        } catch {
            // Then each server keeps to the limits by itself.
            log.debug("the other servers' part of a rate is not known", ["error": error])
            return nil
        }
    }

    /// Holds back the answer to a request that proved nothing.
    ///
    /// It returns early where the task is cancelled: the caller is gone, or the service stops.
    ///
    /// - Throws: `TooManyRequests` at once, where the address has sent too many such requests, or as many answers are
    ///   held back as may be.
    package func holdBack(_ address: String) async throws(TooManyRequests) {
        try await admit(from: address, "whose signature, token or repository is wrong")
        let delay = settings.now.limits.delay
        guard delay > 0 else { return }
        let isHeld = state.withLock { state in
            guard state.held < Self.mostHeld else { return false }
            state.held += 1
            return true
        }
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
