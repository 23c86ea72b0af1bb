import Foundation
import Model
import Synchronization

/// The settings as they are now: they may change while the service runs.
///
/// Whoever does one thing with several of them takes `now` once, so that they fit together.
package final class LiveSettings: Sendable {
    private struct State {
        var now: Settings
        var secrets: [Secret]
        /// By the token's hash.
        var holders: [Data: TokenHolder]
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var lastListener = 0
    }

    private let state: Mutex<State>

    package init(_ settings: Settings) {
        state = Mutex(State(now: settings, secrets: settings.secrets, holders: TokenHolder.all(settings)))
    }

    package var now: Settings { state.withLock { $0.now } }

    /// For masking in logs: those of now, and every one that was in the settings before, as output may still hold it.
    package var secrets: [Secret] { state.withLock { $0.secrets } }

    /// Whose a trigger's token is; nil where it is nobody's.
    package func holder(ofToken token: String) -> TokenHolder? {
        // Found by its hash, so the time that it takes tells nothing of the tokens.
        let hash = TriggerToken.hash(token)
        return state.withLock { $0.holders[hash] }
    }

    /// A stream with one element for every change, those not taken yet counting as one; it ends with these settings.
    package var changes: AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.lastListener += 1
            state.listeners[state.lastListener] = continuation
            return state.lastListener
        }
        continuation.onTermination = { [weak self] _ in self?.forget(number) }
        return stream
    }

    private func forget(_ listener: Int) {
        state.withLock { $0.listeners[listener] = nil }
    }

    deinit {
        let listeners = state.withLock { state in
            defer { state.listeners = [:] }
            return state.listeners
        }
        for listener in listeners.values { listener.finish() }
    }

    /// Takes other settings, but for what only a restart can change: that stays as it is.
    package func change(to settings: Settings) -> SettingsChange {
        let (change, listeners) = state.withLock { state in
            let (change, settings) = SettingsChange.between(state.now, and: settings)
            let known = Set(state.secrets)
            let fresh = settings.secrets.filter { !known.contains($0) }
            state.now = settings
            // Left alone where it can be, so that whoever compares it has little to compare.
            if !fresh.isEmpty { state.secrets += fresh }
            state.holders = TokenHolder.all(settings)
            return (change, state.listeners)
        }
        // Outside of the lock: whoever listens may ask at once.
        for listener in listeners.values { listener.yield() }
        return change
    }
}
