import Foundation
import Model
import Platform
import Synchronization

/// Calls that wait for the writer. It does many in one transaction, which share its one fsync.
final class WriteLine<Call: Sendable>: Sendable {
    /// So many are done at once, that a worker's change waits for some hundredths of a second at most.
    private let limit: Int
    private let calls = Mutex<[Call]>([])

    init(limit: Int) {
        self.limit = limit
    }

    /// - Returns: whether nobody waited before it; then somebody must `take`.
    func add(_ call: Call) -> Bool {
        calls.withLock { calls in
            calls.append(call)
            return calls.count == 1
        }
    }

    /// How many wait; for tests.
    var count: Int { calls.withLock(\.count) }

    /// The oldest calls, and whether others wait still; then somebody must `take` again.
    func take() -> (calls: [Call], more: Bool) {
        calls.withLock { calls in
            let taken = Array(calls.prefix(limit))
            calls.removeFirst(taken.count)
            return (taken, !calls.isEmpty)
        }
    }
}

/// A call of `accept`.
struct AcceptCall: Sendable {
    let deliveries: [NewDelivery]
    let room: Room
    let answer: CheckedContinuation<[Acceptance], any Error>
}

/// A call of `append`.
struct AppendCall: Sendable {
    let hold: Hold
    let log: Data
    let answer: CheckedContinuation<Void, any Error>
}

extension Connection {
    /// Does what waits in the line, all in one transaction, and answers once it is on the disk.
    ///
    /// - Parameter made: called before the answers, with what was made.
    /// - Returns: whether others wait still.
    func accept(_ line: WriteLine<AcceptCall>, time: any TimeSource, made: @Sendable ([Acceptance]) -> Void) -> Bool {
        let (calls, more) = line.take()
        // One that is turned away would take the others with it, unless each had a savepoint.
        let answers = together(calls) { calls in
            try write("accept") { database in
                // As it is read back.
                let now = try Date(stored: time.now.stored)
                return try database.accept(calls, now: now).map { .success($0) }
            }
        }
        made(answers.flatMap { (try? $0.get()) ?? [] })
        for (call, answer) in zip(calls, answers) { call.answer.resume(with: answer) }
        return more
    }

    /// Does what waits in the line, all in one transaction, and answers once it is on the disk.
    ///
    /// - Parameter made: called before the answers, with the builds whose logs have grown.
    /// - Returns: whether others wait still.
    func append(_ line: WriteLine<AppendCall>, made: @Sendable ([Build.ID]) -> Void) -> Bool {
        let (calls, more) = line.take()
        let answers = together(calls) { calls in
            try write("append") { database in
                // An attempt that lost its lease changes nothing, and is nothing to the others.
                try calls.map { call in
                    try database.append(call.hold, log: call.log)
                        ? .success(()) : .failure(LeaseLost(call.hold, database.operation))
                }
            }
        }
        made(zip(calls, answers).compactMap { call, answer in (try? answer.get()).map { call.hold.build } })
        for (call, answer) in zip(calls, answers) { call.answer.resume(with: answer) }
        return more
    }

    /// The answers to all calls at once, or, where that fails, to each by itself, so that one fails alone. It is no
    /// matter of every day.
    private func together<Call, Answer>(
        _ calls: [Call], _ body: ([Call]) throws -> [Result<Answer, any Error>]
    ) -> [Result<Answer, any Error>] {
        do {
            return try body(calls)
        } catch {
            return calls.map { call in Result { try body([call])[0].get() } }
        }
    }
}
