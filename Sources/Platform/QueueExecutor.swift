import Dispatch

/// Runs an actor's work on a dispatch queue of its own, so that blocking C calls never hold a thread of Swift's pool.
///
/// An actor keeps one and returns it as its `unownedExecutor`; `Task.isCancelled` is then true inside C callbacks too.
package final class QueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    package init(label: String) {
        queue = DispatchQueue(label: label)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
