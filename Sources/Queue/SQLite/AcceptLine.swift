import Foundation
import Model
import Platform
import Synchronization

/// The calls of `accept` that wait for the writer. It does many in one transaction, which share its one fsync.
final class AcceptLine: Sendable {
    struct Call: Sendable {
        let deliveries: [NewDelivery]
        let room: Room
        let answer: CheckedContinuation<[Acceptance], any Error>
    }

    /// So many are done at once, that a worker's change waits for some hundredths of a second at most.
    static let limit = 256

    private let calls = Mutex<[Call]>([])

    /// - Returns: whether nobody waited before it; then somebody must `take`.
    func add(_ call: Call) -> Bool {
        calls.withLock { calls in
            calls.append(call)
            return calls.count == 1
        }
    }

    /// The oldest calls, and whether others wait still; then somebody must `take` again.
    func take() -> (calls: [Call], more: Bool) {
        calls.withLock { calls in
            let taken = Array(calls.prefix(Self.limit))
            calls.removeFirst(taken.count)
            return (taken, !calls.isEmpty)
        }
    }
}

extension Connection {
    /// Does what waits in the line, all in one transaction, and answers once it is on the disk.
    ///
    /// - Parameter made: called before the answers, with what was made.
    /// - Returns: whether others wait still.
    func accept(_ line: AcceptLine, time: any TimeSource, made: @Sendable ([Acceptance]) -> Void) -> Bool {
        let (calls, more) = line.take()
        var answers: [Result<[Acceptance], any Error>]
        do {
            answers = try accept(calls, time).map { .success($0) }
        } catch {
            // One is turned away, or can't be kept: each by itself, so that the others are. It is no matter of every
            // day, and a savepoint around each call would be one.
            answers = calls.map { call in Result { try accept([call], time)[0] } }
        }
        let accepted = answers.flatMap { (try? $0.get()) ?? [] }
        made(accepted)
        for (call, answer) in zip(calls, answers) { call.answer.resume(with: answer) }
        return more
    }

    private func accept(_ calls: [AcceptLine.Call], _ time: any TimeSource) throws -> [[Acceptance]] {
        try write("accept") { database in
            // As it is read back.
            let now = try Date(stored: time.now.stored)
            return try database.accept(calls, now: now)
        }
    }
}
