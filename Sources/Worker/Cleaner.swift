import Checkout
import Model
import Platform
import Queue
import Settings

/// Keeps what the service leaves behind within bounds: history, mirrors, images and cache of the engine.
package struct Cleaner: Sendable {
    /// The first time after a start, once what waited is being built, and then again and again.
    struct Schedule: Sendable {
        var history = (first: Duration.seconds(120), next: Duration.seconds(3600))
        var mirrors = (first: Duration.seconds(300), next: Duration.seconds(3600))
        var images = (first: Duration.seconds(600), next: Duration.seconds(600))
    }

    private let tools: Tools
    private let images: ImageCleaner
    private let mirrors: MirrorKeeper
    private let schedule: Schedule

    package init(tools: Tools, images: ImageCleaner) {
        self.init(tools: tools, images: images, schedule: Schedule())
    }

    init(tools: Tools, images: ImageCleaner, schedule: Schedule) {
        self.tools = tools
        self.images = images
        mirrors = MirrorKeeper(tools.mirrors)
        self.schedule = schedule
    }

    /// Works until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await each(schedule.history, "the history could not be pruned", cleanHistory) }
            group.addTask { await each(schedule.mirrors, "mirrors could not be tidied", cleanMirrors) }
            group.addTask { await each(schedule.images, "the engine's storage could not be cleaned", cleanImages) }
        }
    }

    private func each(
        _ pauses: (first: Duration, next: Duration), _ fault: String, _ body: () async throws -> Void
    ) async {
        var pause = pauses.first
        while (try? await tools.time.sleep(for: pause)) != nil {
            do {
                try await body()
            } catch {
                if Task.isCancelled { return }
                tools.log.warning("\(fault)", ["error": error])
            }
            pause = pauses.next
        }
    }

    func cleanHistory() async throws {
        let pruned = try await Retention(store: tools.store, time: tools.time).prune(tools.settings.keep)
        guard !pruned.isNothing else { return }
        tools.log.info(
            "old history was removed",
            ["builds": pruned.builds, "logs": pruned.logs, "deliveries": pruned.deliveries])
    }

    func cleanMirrors() async throws {
        await mirrors.tidy(
            tools.settings.repositories.map {
                tools.mirrors.mirror(for: $0.name, source: $0.source, credentials: $0.credentials)
            })
    }

    func cleanImages() async throws {
        guard let budget = tools.settings.disk.cacheBudget else { return }
        try await images.clean(cache: budget)
    }
}
