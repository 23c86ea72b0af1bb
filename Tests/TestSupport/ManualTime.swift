import Foundation
import Platform
import Synchronization

/// A time that passes only when a test says so.
package final class ManualTime: TimeSource {
    private struct Sleeper {
        let until: Date
        let wake: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Date
        var next = 0
        var sleepers: [Int: Sleeper] = [:]
    }

    private let state: Mutex<State>

    package init(now: Date = Date(timeIntervalSince1970: 1_795_000_000)) {
        state = Mutex(State(now: now))
    }

    package var now: Date { state.withLock { $0.now } }

    /// How many tasks sleep just now.
    package var sleepers: Int { state.withLock { $0.sleepers.count } }

    /// Lets time pass, and wakes whoever has slept long enough.
    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now += duration.seconds
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.sorted { $0.until < $1.until }
        }
        for sleeper in due { sleeper.wake.resume() }
    }

    package func sleep(for duration: Duration) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let slept = state.withLock { state in
                    let until = state.now + duration.seconds
                    if until <= state.now { return true }
                    state.sleepers[number] = Sleeper(until: until, wake: continuation)
                    return false
                }
                if slept { continuation.resume() }
                // Cancelled before it slept: the handler below had nobody to wake.
                if Task.isCancelled { cancel(number) }
            }
        } onCancel: {
            cancel(number)
        }
    }

    private func cancel(_ number: Int) {
        state.withLock { $0.sleepers.removeValue(forKey: number) }?.wake.resume(throwing: CancellationError())
    }
}
