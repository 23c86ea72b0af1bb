import Foundation
import Platform
import TestSupport

/// A service on some repositories, and the pushes that it is told of.
struct SlipwayRun: Sendable {
    struct Repository: Sendable {
        var project: Project
        var name: String
        /// Its rules, each in YAML's short form.
        var rules = ["{branch: main, tags: [latest]}"]
    }

    static let secret = "between the two of us"

    let service: Service
    /// The settings' file.
    let config: String
    let environment: [String: String]

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    static func start(
        _ ground: Ground, _ builder: Builder, _ repositories: [Repository], workers: Int = 2,
        environment: [String: String]
    ) async throws -> SlipwayRun {
        let folder = try ground.room("service")
        var settings = """
            listen: 127.0.0.1:0
            data: "\(folder)/data"
            engine: \(builder.engine)
            workers: \(workers)
            registries:
              "\(ground.registry.host)": {insecure: true}
            repositories:

            """
        for repository in repositories {
            settings += """
                  \(repository.name):
                    source: "\(repository.project.git.bare)"
                    image: "\(ground.registry.host)/\(repository.name)-\(builder.rawValue)"
                    webhook_secret: "\(secret)"
                    rules:

                """
            for rule in repository.rules { settings += "      - \(rule)\n" }
        }
        let file = folder + "/slipway.yaml"
        try Data(settings.utf8).write(to: URL(fileURLWithPath: file))
        let run = SlipwayRun(
            service: try await Service.start(config: file, environment: environment), config: file,
            environment: environment)
        // The engine is looked for at the first claim: no part of a build's time.
        _ = try await run.service.request("GET", "/readyz")
        return run
    }

    /// Posts a push's webhook.
    ///
    /// - Returns: the number of the first build that it became.
    func post(_ commit: String, to repository: String) async throws -> Int {
        try await builds(of: commit, to: repository)[0]
    }

    /// Posts a push's webhook.
    ///
    /// - Returns: the numbers of the builds that it became, at least one.
    func builds(of commit: String, on branch: String = "main", to repository: String) async throws -> [Int] {
        let body = Webhook(ref: "refs/heads/\(branch)", commit: commit, secret: Self.secret).body
        let reply = try await service.request(
            "POST", "/webhooks/\(repository)",
            headers: [
                "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": UUID().uuidString,
                "X-Hub-Signature-256": "sha256=" + Crypto.hmacSHA256(key: Data(Self.secret.utf8), body).hex,
            ], body: body)
        let builds = reply.builds.map(\.id)
        guard reply.status == 202, !builds.isEmpty else {
            throw Failed(description: "the webhook got \(reply.status): \(reply.text)")
        }
        return builds
    }

    /// Waits for a build's end.
    ///
    /// - Throws: `Failed` where it ends in another way than `finished`.
    func end(of build: Int) async throws -> Service.BuildView {
        let view = try await service.wait(for: build)
        guard view.state == "finished" else {
            throw Failed(description: "build \(build) \(view.state):\n\(try await service.log(of: build).suffix(2000))")
        }
        return view
    }

    /// Waits for the ends of all, and for one that takes longest first: asking for many takes time of its own.
    ///
    /// - Returns: also the seconds from `start` to the last end, as the builds tell it.
    func ends(of builds: [Int], longest: Int? = nil, since start: Date) async throws -> ([Service.BuildView], Double) {
        if let longest { _ = try await end(of: longest) }
        var views: [Service.BuildView] = []
        for build in builds { views.append(try await end(of: build)) }
        guard let last = views.compactMap({ $0.date("finished_at") }).max() else {
            throw Failed(description: "no build tells its end")
        }
        return (views, last.timeIntervalSince(start))
    }

    /// Timed from just before the webhook until the build is known to be finished.
    func build(_ commit: String, of repository: String) async throws -> (Lap, Service.BuildView) {
        var lap = Lap()
        let view = try await end(of: post(commit, to: repository))
        lap.end(parts: [
            ("wait", view.seconds("created_at", "started_at")), ("build", view.seconds("started_at", "pushing_at")),
            ("push", view.seconds("pushing_at", "finished_at")),
        ])
        return (lap, view)
    }
}

extension Service.BuildView {
    /// One of the build's times, to the millisecond.
    func date(_ key: String) -> Date? { (json[key] as? String).flatMap(Timestamp.date) }

    /// Between two of the build's times.
    func seconds(_ from: String, _ to: String) -> Double {
        guard let from = date(from), let to = date(to) else { return .nan }
        return to.timeIntervalSince(from)
    }

    var isReused: Bool { json["reused"] is Int }
}
