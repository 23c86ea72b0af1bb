import Foundation
import Platform

/// What one of all that share a queue does, and the others leave to it for as long as it is there.
///
/// It is taken for a while and taken anew long before that is over, so that another has it soon after its holder is gone.
package actor Duty {
    /// For so long it is taken.
    static let hold = Duration.seconds(20)
    /// So often it is taken anew, and asked for by who has it not.
    package static let renewal = Duration.seconds(5)

    private let name: String
    private let holder: String
    private let store: any Store
    private let time: any TimeSource
    private let log: Log
    private let clock = ContinuousClock()
    /// When it may be another's; nil where it is not ours.
    private var end: ContinuousClock.Instant?
    /// The first question, whose answer everybody waits for.
    private var first: Task<Void, Never>?

    /// - Parameter holder: tells this process from all others.
    package init(_ name: String, holder: String, store: any Store, time: any TimeSource, log: Log) {
        self.name = name
        self.holder = holder
        self.store = store
        self.time = time
        self.log = log
    }

    /// Whether it is this process that does it now; always, where no other has the queue.
    package func isOurs() async -> Bool {
        guard store.isShared else { return true }
        let first = first ?? Task { await take() }
        self.first = first
        await first.value
        return end.map { clock.now < $0 } ?? false
    }

    /// Takes it as soon as nobody else has it, and keeps it, until the task is cancelled; then it is to be left with
    /// `Store.leaveDuties`.
    package func run() async {
        guard store.isShared else { return }
        _ = await isOurs()
        while (try? await time.sleep(for: Self.renewal)) != nil { await take() }
    }

    private func take() async {
        let asked = clock.now
        do {
            let isOurs = try await store.takeDuty(name, by: holder, for: Self.hold)
            if isOurs != (end != nil) { log.debug(isOurs ? "has a duty" : "has a duty no more", ["duty": name]) }
            end = isOurs ? asked + Self.hold : nil
        } catch {
            // Nobody else has it before its time is over.
            log.debug("a duty could not be asked for", ["duty": name, "error": error])
        }
    }
}
