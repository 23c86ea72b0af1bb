import Foundation
import Model
import Platform
import Queue
import Synchronization

/// Why an attempt was told to stop, where it was.
final class Stops: Sendable {
    enum Reason: Sendable {
        case shutdown, timeout
    }

    private let first = Mutex<Reason?>(nil)

    var reason: Reason? { first.withLock { $0 } }

    func timedOut() { first.withLock { $0 = $0 ?? .timeout } }
    func shutDown() { first.withLock { $0 = $0 ?? .shutdown } }
}

/// The attempts that run now.
actor Running {
    private let slots: @Sendable () -> Int
    private var attempts: [Hold: (task: Task<Void, Never>, stops: Stops)] = [:]
    private let freed: Wake
    private let ended = Wake()

    /// - Parameters:
    ///   - slots: how many attempts may run; fewer than before lets those that run come to their end.
    ///   - freed: is rung whenever a slot became free.
    init(slots: @escaping @Sendable () -> Int, freed: Wake) {
        self.slots = slots
        self.freed = freed
    }

    /// Less than 0 where more run than may by now.
    var free: Int { slots() - attempts.count }

    func start(_ build: Build, _ attempt: @escaping @Sendable (Stops) async -> Void) {
        let stops = Stops()
        // One that lost the build may still be ending its child processes.
        let former = attempts.filter { $0.key.build == build.id }.map(\.value.task)
        let task = Task {
            for task in former { await task.value }
            await attempt(stops)
            self.forget(build.hold)
        }
        attempts[build.hold] = (task, stops)
    }

    private func forget(_ hold: Hold) {
        attempts[hold] = nil
        freed.ring()
        ended.ring()
    }

    /// Waits for all, at most for the grace; then stops the rest and waits until they have stopped.
    func end(grace: Duration, _ log: Log) async {
        guard !attempts.isEmpty else { return }
        log.info("waiting for running builds", ["count": attempts.count, "seconds": Int(grace.seconds)])
        _ = await withDeadline(grace) { await self.allEnded() }
        let tasks = attempts.values.map(\.task)
        for (_, attempt) in attempts {
            attempt.stops.shutDown()
            attempt.task.cancel()
        }
        for task in tasks { await task.value }
    }
}

extension Running {
    /// Comes back when no attempt runs, or when the task is cancelled.
    private func allEnded() async {
        while !attempts.isEmpty && !Task.isCancelled { await ended.next() }
    }
}

/// Rings of any number of bells, taken one at a time.
struct Wake: Sendable {
    private let rings: AsyncStream<Void>
    private let bell: AsyncStream<Void>.Continuation

    init() {
        (rings, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func ring() { bell.yield() }

    func next() async {
        var iterator = rings.makeAsyncIterator()
        await iterator.next()
    }
}
