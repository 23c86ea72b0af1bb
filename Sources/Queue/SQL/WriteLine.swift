import Synchronization

/// Requests that wait for their turn to change the database. Many are done in one transaction, which share its way to
/// the disk.
final class WriteLine<Request: Sendable, Answer: Sendable>: Sendable {
    fileprivate struct Call: Sendable {
        let request: Request
        let answer: CheckedContinuation<Answer, any Error>
    }

    /// Some of the requests that wait: as many as there are once it is their turn.
    final class Batch: Sendable {
        private let line: WriteLine
        private let taken = Mutex<[Call]?>(nil)

        fileprivate init(_ line: WriteLine) {
            self.line = line
        }

        /// - Returns: always the same.
        func take() -> [Request] { calls().map(\.request) }

        fileprivate func calls() -> [Call] {
            taken.withLock { taken in
                if let taken { return taken }
                let calls = line.take()
                taken = calls
                return calls
            }
        }
    }

    /// So many are done at once, that a worker's change waits for some hundredths of a second at most.
    private let limit: Int
    private let state = Mutex((calls: [Call](), isBusy: false))

    init(limit: Int) {
        self.limit = limit
    }

    /// How many wait; for tests.
    var count: Int { state.withLock(\.calls.count) }

    /// Waits until the request is done, together with others.
    ///
    /// - Parameter body: does the requests of a batch, all or nothing; takes them only when nothing else is to be waited
    ///   for. Where it throws, each is done by itself, so that one fails alone; it is no matter of every day.
    func ask(
        _ request: Request,
        _ body:
            @escaping @Sendable (_ take: @escaping @Sendable () -> [Request]) async throws -> [Result<
                Answer, any Error
            >]
    ) async throws -> Answer {
        try await withCheckedThrowingContinuation { answer in
            let isFirst = state.withLock { state in
                state.calls.append(Call(request: request, answer: answer))
                defer { state.isBusy = true }
                return !state.isBusy
            }
            if isFirst { Task { await self.work(body) } }
        }
    }

    private func work(
        _ body:
            @escaping @Sendable (_ take: @escaping @Sendable () -> [Request]) async throws -> [Result<
                Answer, any Error
            >]
    ) async {
        while true {
            let batch = Batch(self)
            let answers: [Result<Answer, any Error>]
            do {
                answers = try await body(batch.take)
            } catch {
                answers = await eachAlone(batch.calls(), body, error)
            }
            for (call, answer) in zip(batch.calls(), answers) { call.answer.resume(with: answer) }
            let isOver = state.withLock { state in
                if state.calls.isEmpty { state.isBusy = false }
                return !state.isBusy
            }
            if isOver { return }
        }
    }

    private func eachAlone(
        _ calls: [Call],
        _ body: @Sendable (_ take: @escaping @Sendable () -> [Request]) async throws -> [Result<Answer, any Error>],
        _ error: any Error
    ) async -> [Result<Answer, any Error>] {
        let kind = (error as? StoreError)?.kind
        if calls.count == 1 || kind == .unreachable || kind == .closed { return calls.map { _ in .failure(error) } }
        var answers: [Result<Answer, any Error>] = []
        for call in calls {
            do {
                answers += try await body { [call.request] }
            } catch {
                answers.append(.failure(error))
            }
        }
        return answers
    }

    private func take() -> [Call] {
        state.withLock { state in
            let taken = Array(state.calls.prefix(limit))
            state.calls.removeFirst(taken.count)
            return taken
        }
    }
}
