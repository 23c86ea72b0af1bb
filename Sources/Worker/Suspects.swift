import Model
import Synchronization

/// Tags that a request may still move, though whoever sent it has no more right to: the sweep looks at them at once.
final class Suspects: Sendable {
    struct Suspect: Sendable, Hashable {
        let image: ImageName
        let name: Tag
        /// What was sent. The queue may have forgotten that it is Slipway's, until the build's next attempt.
        let digest: Digest
    }

    private let waiting = Mutex<Set<Suspect>>([])
    private let wake = Wake()

    func add(_ name: Tag, of image: ImageName, sent digest: Digest) {
        waiting.withLock { _ = $0.insert(Suspect(image: image, name: name, digest: digest)) }
        wake.ring()
    }

    /// Waits for some; none where the task is cancelled.
    func next() async -> Set<Suspect> {
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
