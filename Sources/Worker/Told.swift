import Model
import Synchronization

/// What somebody is told to look at, soon; told twice before it is taken, it is looked at once.
final class Told<Item: Hashable & Sendable>: Sendable {
    private let waiting = Mutex<Set<Item>>([])
    private let wake = Wake()

    func add(_ items: some Sequence<Item>) {
        waiting.withLock { $0.formUnion(items) }
        wake.ring()
    }

    /// Waits for some; none where the task is cancelled.
    func next() async -> Set<Item> {
        while !Task.isCancelled {
            let found = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            if !found.isEmpty { return found }
            await wake.next()
        }
        return []
    }
}

/// A tag that a request may still move, though whoever sent it has no more right to: the sweep looks at it at once.
struct Suspect: Sendable, Hashable {
    let image: ImageName
    let name: Tag
    /// What was sent. The queue may have forgotten that it is Slipway's, until the build's next attempt.
    let digest: Digest
}
