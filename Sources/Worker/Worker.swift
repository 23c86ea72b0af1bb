import Engine
import Foundation
import Model
import Platform
import Queue
import Settings
import Synchronization

/// Claims builds and takes each to its end, as many at once as the settings say.
package struct Worker: Sendable {
    /// How long a claim holds without being renewed.
    static let lease = Duration.seconds(60)
    static let renewal = Duration.seconds(15)

    private let tools: Tools
    private let name: String
    private let engine: EngineFinder
    private let obstacle: @Sendable () async -> String?
    private let grace: Duration

    /// - Parameters:
    ///   - name: tells this process from others, in the database.
    ///   - grace: how long running builds may go on when the worker is asked to stop.
    ///   - obstacle: is asked before builds are claimed; a reason makes them wait.
    package init(
        tools: Tools, name: String, engine: EngineFinder, grace: Duration,
        obstacle: @escaping @Sendable () async -> String? = { nil }
    ) {
        self.tools = tools
        self.name = name
        self.engine = engine
        self.obstacle = obstacle
        self.grace = grace
    }

    /// Works until `stop` ends; then claims nothing more, gives running builds the grace, and gives the rest back.
    package func run(until stop: @escaping @Sendable () async -> Void) async {
        let wake = Wake()
        let running = Running(slots: tools.settings.workers, freed: wake)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await claiming(running, wake) }
            group.addTask { await rescuing() }
            await stop()
            group.cancelAll()
        }
        await running.end(grace: grace, tools.log)
    }

    // MARK: Claiming

    private func claiming(_ running: Running, _ wake: Wake) async {
        let arrivals = tools.store.changes(.pending)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in arrivals { wake.ring() } }
            while !Task.isCancelled {
                if await claim(running) { await wake.next() } else { try? await tools.time.sleep(for: .seconds(5)) }
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
            for build in try await tools.store.claim(limit: free, worker: name, lease: Self.lease) {
                await running.start(build) { stops in await attempt(build, engine, stops) }
            }
            return true
        } catch {
            tools.log.error("builds could not be claimed", ["error": error])
            return false
        }
    }

    /// Puts back builds of attempts that were lost.
    private func rescuing() async {
        while (try? await tools.time.sleep(for: .seconds(10))) != nil {
            do {
                for build in try await tools.store.rescue(all: false, tries: 1 + tools.settings.retries) {
                    tools.log.warning("a build's attempt was lost; it is pending again", ["build": build])
                }
            } catch {
                tools.log.error("lost attempts could not be looked for", ["error": error])
            }
        }
    }

    // MARK: One attempt

    private func attempt(_ build: Build, _ engine: any Engine, _ stops: Stops) async {
        tools.log.info(
            "building", ["build": build.id, "repository": build.repository, "ref": build.ref, "attempt": build.attempt])
        do {
            let output = LogWriter(
                store: tools.store, hold: build.hold, secrets: tools.settings.secrets,
                length: try await tools.store.logLength(build.id))
            let attempt = Attempt(build: build, engine: engine, tools: tools, output: output)
            do {
                try await bounded(build, stops) { try await attempt.run() }
            } catch let error where stops.reason != nil || !(error is Failure) {
                try? await output.finish()
                throw error
            } catch let failure as Failure {
                try await fail(build, failure, output)
            }
        } catch {
            await end(build, error, stops)
        }
    }

    /// Runs an attempt with its lease renewed and its time bounded.
    private func bounded(_ build: Build, _ stops: Stops, _ run: @escaping @Sendable () async throws -> Void)
        async throws
    {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await run() }
            group.addTask {
                while true {
                    try await tools.time.sleep(for: Self.renewal)
                    do {
                        try await tools.store.renew(build.hold, lease: Self.lease)
                    } catch let lost as LeaseLost {
                        throw lost
                    } catch {
                        tools.log.warning("a lease could not be renewed", ["build": build.id, "error": error])
                    }
                }
            }
            group.addTask {
                try await tools.time.sleep(for: .seconds(build.rule.timeout))
                stops.timedOut()
                throw CancellationError()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func fail(_ build: Build, _ failure: Failure, _ output: LogWriter) async throws {
        var failure = failure
        // It may hold the last lines of the output.
        failure.message = Mask(tools.settings.secrets).masked(failure.message)
        try await output.say("failed (\(failure.kind), \(failure.stage)): \(failure.message)")
        try await output.finish()
        try await tools.store.fail(build.hold, failure)
        tools.log.info(
            "failed",
            ["build": build.id, "kind": failure.kind, "stage": failure.stage, "error": failure.message.excerpt(200)])
    }

    /// What becomes of a build whose attempt ended without a word on the image.
    private func end(_ build: Build, _ error: any Error, _ stops: Stops) async {
        do {
            switch (stops.reason, error) {
            case (_, let lost as LeaseLost):
                tools.log.warning("\(lost)")
            case (.shutdown, _):
                try await tools.store.giveBack(build.hold)
                tools.log.info("given back", ["build": build.id])
            case (.timeout, _):
                try await failTimedOut(build)
            case (nil, is StoreError):
                // Failing the build would be as impossible: the lease runs out, and it is rescued and built again.
                tools.log.error("an attempt broke off, as the database failed", ["build": build.id, "error": error])
            case (nil, _):
                let failure = Failure(.system, try await stage(build), "the attempt broke off: \(error)")
                try await tools.store.fail(build.hold, failure)
                tools.log.error("failed", ["build": build.id, "error": error])
            }
        } catch {
            // The lease runs out and the build is rescued: nothing is lost, but it is late.
            tools.log.error("the end of an attempt could not be stored", ["build": build.id, "error": error])
        }
    }

    private func failTimedOut(_ build: Build) async throws {
        let stage = try await stage(build)
        let limit = Duration.seconds(build.rule.timeout).formatted(
            .units(allowed: [.hours, .minutes, .seconds], width: .narrow))
        // What the Dockerfile does in its time is the repository's; a slow network is not.
        let failure = Failure(
            stage == .build ? .build : .system, stage,
            "it took longer than the rule's timeout of \(limit); make it faster or the timeout longer")
        try await tools.store.append(build.hold, log: Data("slipway: failed: \(failure.message)\n".utf8))
        try await tools.store.fail(build.hold, failure)
        tools.log.info("timed out", ["build": build.id])
    }

    private func stage(_ build: Build) async throws -> Failure.Stage {
        guard let now = try await tools.store.build(build.id) else { return .checkout }
        if now.digest != nil { return .tag }
        return now.state == .pushing ? .push : now.commitTag == nil || now.tags.isEmpty ? .checkout : .build
    }
}
