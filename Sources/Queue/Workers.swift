import Foundation
import Model

/// A worker, as it tells of itself.
package struct WorkerNote: Sendable, Equatable {
    /// Tells it from the others that share the queue, also after it began anew.
    package var name: String
    /// What rules may ask for.
    package var labels: Set<String>
    /// How many builds it takes at once.
    package var slots: Int
    package var version: String
    /// Of this life of it.
    package var instance: String

    package init(name: String, labels: Set<String>, slots: Int, version: String, instance: String) {
        self.name = name
        self.labels = labels
        self.slots = slots
        self.version = version
        self.instance = instance
    }
}

/// A worker, as the queue knows it.
package struct WorkerState: Sendable, Equatable {
    package var note: WorkerNote
    package var startedAt: Date
    /// Long ago for one that was lost.
    package var seenAt: Date
    /// Whether it was heard of lately.
    package var isThere: Bool
    /// Whether it takes no more builds, on somebody's word.
    package var isDrained: Bool
    /// What it has under a lease.
    package var builds: [Build.ID]

    package init(
        note: WorkerNote, startedAt: Date, seenAt: Date, isThere: Bool, isDrained: Bool, builds: [Build.ID]
    ) {
        self.note = note
        self.startedAt = startedAt
        self.seenAt = seenAt
        self.isThere = isThere
        self.isDrained = isDrained
        self.builds = builds
    }
}

/// What a worker is told when it tells of itself.
package struct WorkerOrders: Sendable, Equatable {
    /// It is to take no more builds.
    package var isDrained: Bool
    /// Another worker of the same name lives.
    package var hasDouble: Bool

    package init(isDrained: Bool, hasDouble: Bool) {
        self.isDrained = isDrained
        self.hasDouble = hasDouble
    }
}
