import Engine
import Model
import Platform
import Queue
import Settings

/// Claims builds and takes each to its end, as many at once as the settings say.
package struct Worker: Sendable {
    let tools: Tools
    let engine: EngineFinder
    let pace: Pace
    private let name: String
    private let obstacle: @Sendable () async -> String?
    private let grace: Duration
    private let presence: Presence

    /// - Parameters:
    ///   - name: tells this worker from others, in the database.
    ///   - grace: how long running builds may go on when the worker is asked to stop.
    ///   - obstacle: is asked before builds are claimed; a reason makes them wait.
    package init(
        tools: Tools, name: String, version: String = "", engine: EngineFinder, grace: Duration, pace: Pace = Pace(),
        obstacle: @escaping @Sendable () async -> String? = { nil }
    ) {
        self.tools = tools
        self.name = name
        self.engine = engine
        self.obstacle = obstacle
        self.grace = grace
        self.pace = pace
        presence = Presence(tools: tools, engine: engine, pace: pace, name: name, version: version)
    }

    /// Works until `stop` ends; then claims nothing more, gives running builds the grace, and gives the rest back.
    package func run(until stop: @escaping @Sendable () async -> Void) async {
        if tools.settings.workers > 0 { await presence.begin() }
        let wake = Wake()
        let running = Running(slots: { [tools] in tools.settings.workers }, freed: wake)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await claiming(running, wake) }
            group.addTask { await rescuing() }
            group.addTask { await presence.run() }
            await stop()
            group.cancelAll()
        }
        let present = Task { await presence.run() }
        await running.end(grace: grace, tools.log)
        present.cancel()
        await present.value
        await presence.end()
    }

    // MARK: Claiming

    private func claiming(_ running: Running, _ wake: Wake) async {
        let arrivals = tools.store.changes(.pending)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in arrivals { wake.ring() } }
            // There may be more slots.
            group.addTask { for await _ in tools.live.changes { wake.ring() } }
            while !Task.isCancelled {
                let pause = await claim(running) ? await untilDue(running) : pace.absence
                let alarm = Task { [time = tools.time] in
                    guard let pause else { return }
                    try await time.sleep(for: pause)
                    wake.ring()
                }
                await wake.next()
                alarm.cancel()
            }
            group.cancelAll()
        }
    }

    /// - Returns: false where the engine, the database or room on the disk is not there, so that it is to be tried again in a while.
    private func claim(_ running: Running) async -> Bool {
        let free = await running.free
        guard free > 0 else { return true }
        guard let engine = await engine.engine(), await obstacle() == nil else { return false }
        do {
            let asked = ContinuousClock.now
            for build in try await tools.store.claim(limit: free, worker: name, lease: pace.lease) {
                let lease = Lease(build.hold, length: pace.lease, asked: asked)
                await running.start(build) { stops in await attempt(build, engine, lease, stops) }
            }
            return true
        } catch {
            tools.log.error("builds could not be claimed", ["error": error])
            return false
        }
    }

    /// How long until a build that waits for another attempt is due; nil where none waits, or could be claimed then.
    private func untilDue(_ running: Running) async -> Duration? {
        guard await running.free > 0 else { return nil }
        do {
            guard let due = try await tools.store.nextDue(for: name) else { return nil }
            // Now and then in between too, as the time of day may be set.
            return min(max(due, .milliseconds(50)), .seconds(60))
        } catch {
            tools.log.error("the next build to be tried again could not be looked for", ["error": error])
            return pace.absence
        }
    }

    // MARK: Rescuing

    /// What the lost attempt sent to the registry may have arrived, or arrive yet, after others moved its tags on.
    private func suspect(_ id: Build.ID) async throws {
        guard let build = try await tools.store.build(id), let digest = build.digest else { return }
        tools.suspects.add(build.tags.map { Suspect(image: build.image, name: $0.name, digest: digest) })
    }

    /// Puts back builds of attempts that were lost.
    private func rescuing() async {
        var clock = StepWatch(tools.time)
        while (try? await tools.time.sleep(for: pace.rescue)) != nil {
            // Leases are kept by the time of day: who lives must renew by the new one first.
            guard clock.isSteady(for: pace.lease) else { continue }
            do {
                for build in try await tools.store.rescue(all: false, tries: 1 + tools.settings.retries) {
                    tools.log.warning("a build's attempt was lost; it is pending again", ["build": build])
                    try await suspect(build)
                }
            } catch {
                tools.log.error("lost attempts could not be looked for", ["error": error])
            }
        }
    }
}
