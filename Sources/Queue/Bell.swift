import Synchronization

/// Tells whoever listens that something changed, not what: the database is the truth.
final class Bell: Sendable {
    private struct Listeners {
        var next = 0
        var byTopic: [ChangeTopic: [Int: AsyncStream<Void>.Continuation]] = [:]
        var closed = false
    }

    private let listeners = Mutex(Listeners())

    /// A stream with one element for every ring, those not taken yet counting as one; it ends with `close`.
    func listen(_ topic: ChangeTopic) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number: Int? = listeners.withLock { listeners in
            guard !listeners.closed else { return nil }
            listeners.next += 1
            listeners.byTopic[topic, default: [:]][listeners.next] = continuation
            return listeners.next
        }
        if let number {
            continuation.onTermination = { [weak self] _ in self?.remove(number, from: topic) }
        } else {
            continuation.finish()
        }
        return stream
    }

    func ring(_ topics: [ChangeTopic]) {
        let continuations = listeners.withLock { listeners in
            topics.flatMap { listeners.byTopic[$0].map { Array($0.values) } ?? [] }
        }
        for continuation in continuations { continuation.yield() }
    }

    /// As any of it may have changed.
    func ringAll() {
        let continuations = listeners.withLock { $0.byTopic.values.flatMap(\.values) }
        for continuation in continuations { continuation.yield() }
    }

    func close() {
        let continuations = listeners.withLock { listeners in
            listeners.closed = true
            let all = listeners.byTopic.values.flatMap(\.values)
            listeners.byTopic = [:]
            return all
        }
        // Outside of the lock: finishing calls `remove`.
        for continuation in continuations { continuation.finish() }
    }

    /// How many listen; for tests.
    var listenerCount: Int {
        listeners.withLock { $0.byTopic.values.reduce(0) { $0 + $1.count } }
    }

    private func remove(_ number: Int, from topic: ChangeTopic) {
        listeners.withLock { listeners in
            listeners.byTopic[topic]?[number] = nil
            if listeners.byTopic[topic]?.isEmpty == true { listeners.byTopic[topic] = nil }
        }
    }
}
