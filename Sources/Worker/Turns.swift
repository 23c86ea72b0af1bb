/// Lets one attempt at a time use a name: of the engine's storage, as two builds of one commit that go by the same commit
/// tag would each push what the other built last; or of what an image is made of, as the second needs none of its own.
actor Turns {
    /// A name that is in use, and who waits for it.
    private var waiting: [String: [(number: Int, go: CheckedContinuation<Bool, Never>)]] = [:]
    private var last = 0

    /// - Throws: `CancellationError` where the task is cancelled before its turn; what `body` throws.
    nonisolated func use<Result: Sendable>(
        _ name: String, _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        guard await take(name) else { throw CancellationError() }
        do {
            let result = try await body()
            await leave(name)
            return result
        } catch {
            await leave(name)
            throw error
        }
    }

    /// Whether a turn would have to be waited for.
    func isInUse(_ name: String) -> Bool { waiting[name] != nil }

    /// - Returns: false where the task was cancelled first.
    private func take(_ name: String) async -> Bool {
        guard waiting[name] != nil else {
            waiting[name] = []
            return true
        }
        last += 1
        let number = last
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiting[name, default: []].append((number, $0)) }
        } onCancel: {
            Task { await self.drop(number, name) }
        }
    }

    private func drop(_ number: Int, _ name: String) {
        guard let index = waiting[name]?.firstIndex(where: { $0.number == number }) else { return }
        waiting[name]?.remove(at: index).go.resume(returning: false)
    }

    private func leave(_ name: String) {
        if waiting[name]?.isEmpty ?? true {
            waiting[name] = nil
        } else {
            waiting[name]?.removeFirst().go.resume(returning: true)
        }
    }
}
