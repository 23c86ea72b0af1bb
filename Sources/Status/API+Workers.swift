import HTTP
import Model
import Platform
import Queue

/// Who works, and who is not to.
extension API {
    func workers(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .read)
        var list: [WorkerJSON] = []
        for worker in try await store.workers() { list.append(try await json(worker, for: caller)) }
        return .json(200, WorkerListJSON(workers: list))
    }

    func drain(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        try await drain(request, path, true)
    }

    func resumeWorker(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        try await drain(request, path, false)
    }

    private func drain(_ request: HTTPRequest, _ path: Path, _ isDrained: Bool) async throws -> HTTPResponse {
        let caller = try operating(request)
        let name = path["worker"]
        guard try await store.drain(name, isDrained),
            let worker = try await store.workers().first(where: { $0.note.name == name })
        else { throw Refusal(404, "Not known here", "there is no worker \"\(name.excerpt())\"") }
        log.info(isDrained ? "drained a worker" : "resumed a worker", ["worker": name, "by": caller.name ?? "-"])
        return .json(200, try await json(worker, for: caller))
    }

    private func json(_ worker: WorkerState, for caller: Access.Caller) async throws -> WorkerJSON {
        var seen: [Build.ID] = []
        for id in worker.builds {
            if let build = try await store.build(id), caller.sees(build.repository) { seen.append(id) }
        }
        return WorkerJSON(worker, builds: seen)
    }

    // MARK: Why builds wait

    /// The workers that are there; nil where only this service can work, and has not told of its worker yet.
    private func workforce() async throws -> Workforce? {
        if !store.isShared, settings.workers == 0 { return Workforce([]) }
        let force = Workforce(try await store.workers())
        return force.isEmpty && !store.isShared ? nil : force
    }

    /// Why builds wait for workers, a sentence each.
    func waitsForWorkers() async throws -> [String] {
        guard let force = try await workforce() else { return [] }
        guard !force.isEmpty else {
            let others = store.isShared ? ", and no other worker is there" : ""
            return [
                settings.workers == 0
                    ? "builds wait: this service has no workers, it only receives\(others)"
                    : "builds wait: no worker is there"
            ]
        }
        if force.isDrained { return ["builds wait: every worker is drained; \"slipway resume WORKER\" lets one go on"] }
        return try await store.labelsAsked().compactMap(force.lack).map { "some builds wait: \($0)" }
    }

    /// A build as it is shown; of one that is pending also whether a worker is there for it.
    func shown(_ builds: [Build]) async throws -> [BuildJSON] {
        let isAsking = builds.contains { $0.state == .pending && !$0.rule.runsOn.isEmpty }
        let force = isAsking ? try await workforce() : nil
        return builds.map { build in
            var json = BuildJSON(build, url: url)
            if build.state == .pending, !build.rule.runsOn.isEmpty { json.waits = force?.lack(of: build.rule.runsOn) }
            return json
        }
    }

    func shown(_ build: Build) async throws -> BuildJSON {
        try await shown([build]).first ?? BuildJSON(build, url: url)
    }
}
