import Foundation
import Model
import Platform
import Queue
import Settings

/// Looks at the sources for pushes that nobody told of, since a webhook was lost or the service was down.
package actor Poller {
    /// Asks a repository's source for its branches and tags.
    ///
    /// It must end by itself, and soon where its task is cancelled. It throws `HostBusy` where the host answers 429.
    package typealias List = @Sendable (Repository) async throws -> PollListing

    /// Looks at once, all repositories together.
    private static let atOnce = 2
    /// How many builds are looked through for pushes that were told since the look before.
    private static let recentBuilds = 100
    /// How long a source may take to show everybody what its webhook told.
    private static let settling: TimeInterval = 30

    private let receiver: Receiver
    private let store: any Store
    private let time: any TimeSource
    private let log: Log
    private let list: List
    private let duty: Duty
    private var schedule = PollSchedule()

    /// - Parameters:
    ///   - receiver: takes what is found, and knows the settings as they are now.
    ///   - holder: tells this process from the others that share its queue, of which one looks.
    package init(receiver: Receiver, holder: String, time: any TimeSource, log: Log, list: @escaping List) {
        self.receiver = receiver
        store = receiver.store
        self.time = time
        self.log = log
        self.list = list
        duty = Duty("poll", holder: holder, store: receiver.store, time: time, log: log)
    }

    /// Looks at every repository that is to be polled, again and again, until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [duty] in await duty.run() }
            for _ in 1...Self.atOnce { group.addTask { await self.work() } }
        }
    }

    private func work() async {
        while !Task.isCancelled {
            let pause = await runOnce()
            do { try await time.sleep(for: pause) } catch { return }
        }
    }

    /// Looks at what is due.
    ///
    /// - Returns: when to come again.
    func runOnce() async -> Duration {
        while !Task.isCancelled {
            guard await duty.isOurs() else {
                // What was due meanwhile was looked at by another.
                schedule = PollSchedule()
                return Duty.renewal
            }
            switch schedule.next(receiver.settings.repositories, now: time.now) {
            case .look(let repository): tell(repository, await look(repository))
            case .wait(let pause): return pause
            }
        }
        return .zero
    }

    private func tell(_ repository: Repository, _ outcome: PollSchedule.Outcome) {
        let (isNew, former) = schedule.end(repository, outcome, now: time.now)
        guard isNew else { return }
        switch outcome {
        case .broken: break
        case .seen: log.info("is looked at for pushes again", ["repository": repository.name, "was": former ?? ""])
        case .silent(let fault, _):
            log.warning(
                "can't look for pushes that nobody told of: \(fault). It is tried again, at growing intervals; "
                    + "`slipway check --connect` tries it at once", ["repository": repository.name])
        case .notKept(let fault):
            log.warning(
                "pushes that nobody told of can't be queued: \(fault). They are looked for again",
                ["repository": repository.name])
        }
    }

    // MARK: A look

    private nonisolated func look(_ repository: Repository) async -> PollSchedule.Outcome {
        do {
            // Before the source is asked, so that a push told meanwhile isn't taken for one that was taken back.
            let told = try await told(repository)
            let listing: PollListing
            do {
                listing = try await list(repository)
            } catch {
                return Task.isCancelled ? .broken : .silent("\(error)", isBusy: error is HostBusy)
            }
            try await take(listing, of: repository, told)
            return .seen
        } catch {
            return .notKept("\(error)")
        }
    }

    private nonisolated func take(
        _ listing: PollListing, of repository: Repository, _ told: [Build]
    ) async throws {
        guard let seen = try await store.seenRefs(repository.name) else {
            // What is there when a repository is new to Slipway is not built, as on Docker Hub.
            return try await store.saw(listing.refs, in: repository.name)
        }
        // A source that shows nothing at all is more likely broken than emptied.
        if listing.refs.isEmpty { return }
        for push in listing.pushes(since: seen, told: told) {
            let answer = try await receiver.found(push, in: repository, at: time.now)
            for build in answer.builds {
                log.info(
                    "found a push that nobody told of",
                    ["repository": repository.name, "ref": push.ref, "build": build.id])
            }
        }
        // Only now: until all is queued, the next look finds it again.
        if listing.refs != seen { try await store.saw(listing.refs, in: repository.name) }
    }

    /// The builds of pushes that were told or found, and not by hand; newest first.
    private nonisolated func told(_ repository: Repository) async throws -> [Build] {
        let query = BuildQuery(repository: repository.name, limit: Self.recentBuilds)
        let settled = try await store.now().addingTimeInterval(-Self.settling)
        return try await store.builds(query).filter {
            [.webhook, .poll].contains($0.cause.kind) && $0.commit != nil && $0.createdAt <= settled
        }
    }
}
