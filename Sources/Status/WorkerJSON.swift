import Model
import Platform
import Queue

/// A worker as the API shows it; the CLI reads it back.
package struct WorkerJSON: Codable, Sendable {
    package enum State: String, Codable, Sendable {
        case there
        /// It takes no more builds, on somebody's word, and runs some still.
        case draining
        case drained
        /// Nothing was heard of it lately.
        case lost
    }

    package var name: String
    package var state: State
    package var labels: [String]
    /// How many builds it takes at once.
    package var slots: Int
    /// How many it runs.
    package var running: Int
    /// Those of them that the caller may see.
    package var builds: [Build.ID]
    package var version: String
    package var started_at: String
    package var seen_at: String

    init(_ worker: WorkerState, builds: [Build.ID]) {
        name = worker.note.name
        state =
            switch (worker.isThere, worker.isDrained, worker.builds.isEmpty) {
            // Who was drained may be gone for good.
            case (_, true, true): .drained
            case (false, _, _): .lost
            case (true, true, false): .draining
            case (true, false, _): .there
            }
        labels = worker.note.labels.sorted()
        slots = worker.note.slots
        running = worker.builds.count
        self.builds = builds
        version = worker.note.version
        started_at = Timestamp.text(worker.startedAt)
        seen_at = Timestamp.text(worker.seenAt)
    }
}

package struct WorkerListJSON: Codable, Sendable {
    package var workers: [WorkerJSON]
}
