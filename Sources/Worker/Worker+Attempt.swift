import Engine
import Foundation
import Model
import Platform
import Queue
import Settings

/// One attempt at a build: bounded in time, and its end stored.
extension Worker {
    func attempt(_ build: Build, _ engine: any Engine, _ lease: Lease, _ stops: Stops) async {
        let tools = tools.settledNow
        tools.log.info(
            "building", ["build": build.id, "repository": build.repository, "ref": build.ref, "attempt": build.attempt])
        do {
            let output = LogWriter(
                store: tools.store, hold: build.hold, secrets: { tools.live.secrets },
                length: build.attempt > 1 ? try await tools.store.logLength(build.id) : 0, lease: lease)
            let attempt = Attempt(build: build, engine: engine, tools: tools.under(lease), output: output)
            do {
                try await bounded(build, lease, stops) { try await attempt.run() }
            } catch {
                try await end(build, error, lease, stops, output)
            }
        } catch let lost as LeaseLost {
            tools.log.warning("\(lost)")
        } catch {
            // The lease runs out and the build is rescued: nothing is lost, but it is late.
            tools.log.error("the end of an attempt could not be stored", ["build": build.id, "error": error])
        }
    }

    /// Runs an attempt with its lease renewed, its time bounded, and an ear for who wants its end.
    private func bounded(
        _ build: Build, _ lease: Lease, _ stops: Stops, _ run: @escaping @Sendable () async throws -> Void
    ) async throws {
        let asked = tools.store.changes(.stop(build.id))
        // The run's own end is true; nothing else ends but by throwing.
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await run()
                return true
            }
            group.addTask {
                try await renewing(build, lease)
                return false
            }
            group.addTask {
                try await lease.expire()
                return false
            }
            group.addTask {
                try await heed(build)
                for await _ in asked { try await heed(build) }
                return false
            }
            group.addTask {
                try await tools.time.sleep(for: .seconds(build.rule.timeout))
                stops.timedOut()
                throw CancellationError()
            }
            defer { group.cancelAll() }
            while let isOver = try await group.next() {
                if isOver { return }
            }
        }
    }

    private func renewing(_ build: Build, _ lease: Lease) async throws {
        while true {
            try await tools.time.sleep(for: pace.renewal)
            do {
                try await lease.renew(in: tools.store)
                // Another machine's wish is not told here.
                try await heed(build)
            } catch let error as StoreError {
                tools.log.warning("a lease could not be renewed", ["build": build.id, "error": error])
            }
        }
    }

    /// - Throws: `CancellationError` where somebody asked for the build's end; `LeaseLost` where it was rescued.
    private func heed(_ build: Build) async throws {
        let now: Build?
        do {
            now = try await tools.store.build(build.id)
        } catch let error as StoreError {
            return tools.log.warning("a running build could not be looked at", ["build": build.id, "error": error])
        }
        guard let now, now.hold == build.hold, now.state != .pending else { throw LeaseLost(build.hold, "go on") }
        if now.stop != nil { throw CancellationError() }
    }

    // MARK: Its end

    /// Stores what becomes of a build whose attempt did not take it to its end.
    private func end(
        _ build: Build, _ error: any Error, _ lease: Lease, _ stops: Stops, _ output: LogWriter
    ) async throws {
        if let lost = error as? LeaseLost { throw lost }
        try lease.check("end")
        let now = try await tools.store.build(build.id)
        if let now, now.hold == build.hold, let stop = now.stop { return try await end(now, as: stop, output) }
        switch (stops.reason, error) {
        case (.shutdown, _):
            try await output.finish()
            try await tools.store.giveBack(build.hold)
            tools.log.info("given back", ["build": build.id])
        case (.timeout, _):
            let limit = Self.text(.seconds(build.rule.timeout))
            let why = "it took longer than the rule's timeout of \(limit); make it faster or the timeout longer"
            try await fail(build, Failure(.timeout, Self.stage(now), why), output)
        case (nil, let failure as Failure):
            try await fail(build, failure, output)
        case (nil, is StoreError):
            // Failing the build would be as impossible: the lease runs out, and it is rescued and built again.
            tools.log.error("an attempt broke off, as the database failed", ["build": build.id, "error": error])
        case (nil, _):
            try await fail(build, Failure(.system, Self.stage(now), "the attempt broke off: \(error)"), output)
        }
    }

    /// As somebody asked for, or a newer push.
    private func end(_ build: Build, as stop: Build.State, _ output: LogWriter) async throws {
        let reason = build.reason ?? "nobody said why"
        // Who asked for it may have said so in the same words.
        let words = reason.hasPrefix("\(stop)") ? reason : "\(stop): \(reason)"
        try await output.say(build.successor.map { "superseded by build \($0)" } ?? words)
        try await output.finish()
        try await tools.store.stop(build.hold)
        tools.log.info("\(stop)", ["build": build.id, "reason": reason])
    }

    /// A failure of ours is tried again, as often as the settings say.
    private func fail(_ build: Build, _ failure: Failure, _ output: LogWriter) async throws {
        var failure = failure
        // It may hold the last lines of the output.
        failure.message = Mask(tools.live.secrets).masked(failure.message)
        if failure.kind == .system, failure.stage == .build { await engine.doubt() }
        let head = "failed (\(failure.kind), \(failure.stage)): "
        let retries = tools.settings.retries
        guard failure.kind == .system, build.tries <= retries else {
            try await output.say(head + failure.message)
            try await output.finish()
            try await tools.store.fail(build.hold, failure)
            return note("failed", build, failure)
        }
        let pause = pace.pause(before: build.tries, wish: failure.retryAfter)
        let sentence = failure.message.prefix { $0 != "\n" }
        try await output.say("\(head)\(sentence); trying again in \(Self.text(pause)) (\(build.tries) of \(retries))")
        try await output.finish()
        try await tools.store.retry(build.hold, failure, after: pause)
        note("failed; it is tried again in \(Self.text(pause))", build, failure)
    }

    private func note(_ event: String, _ build: Build, _ failure: Failure) {
        tools.log.info(
            event,
            ["build": build.id, "kind": failure.kind, "stage": failure.stage, "error": failure.message.excerpt(200)])
    }

    private static func stage(_ now: Build?) -> Failure.Stage {
        guard let now else { return .checkout }
        // An earlier attempt may have pushed too.
        if now.state == .pushing, now.digest != nil { return .tag }
        return now.state == .pushing ? .push : now.commitTag == nil || now.tags.isEmpty ? .checkout : .build
    }

    /// `40s`, `1m 20s`.
    private static func text(_ duration: Duration) -> String {
        Duration.seconds(duration.seconds.rounded(.up)).formatted(
            .units(allowed: [.hours, .minutes, .seconds], width: .narrow))
    }
}
