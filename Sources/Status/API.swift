import Foundation
import HTTP
import Intake
import Model
import Platform
import Queue
import Settings

/// Slipway's HTTP surface: webhooks and triggers in, builds and logs out.
package struct API: Sendable {
    /// Why the service can't do its work now; nil where it can.
    package typealias Fault = @Sendable () async -> String?

    let settings: Settings
    let store: any Store
    let receiver: Receiver
    let time: any TimeSource
    let log: Log
    /// How others reach the service.
    let publicURL: @Sendable () -> String
    var url: String { publicURL() }
    let access: Access
    let gate: Gate
    private let proxies: TrustedProxies
    private let fault: Fault
    private let obstacle: Fault

    /// - Parameters:
    ///   - fault: what `/readyz` asks beside the database, such as whether there is an engine.
    ///   - obstacle: why no build may begin though the service is ready, such as too little room.
    package init(
        settings: Settings, store: any Store, receiver: Receiver, time: any TimeSource, log: Log,
        url: @escaping @Sendable () -> String, fault: @escaping Fault,
        obstacle: @escaping Fault = { nil }
    ) {
        self.settings = settings
        self.store = store
        self.receiver = receiver
        self.time = time
        self.log = log
        publicURL = url
        self.fault = fault
        self.obstacle = obstacle
        access = Access(settings.access)
        gate = Gate(settings.limits, time: time, log: log)
        proxies = TrustedProxies(settings.trustedProxies)
    }

    /// All addresses and what answers them.
    package var router: Router {
        var router = Router()
        addIntake(to: &router)
        add("GET", "/api/v1/builds", to: &router, builds)
        add("GET", "/api/v1/builds/:id", to: &router, build)
        add("GET", "/api/v1/builds/:id/log", to: &router, buildLog)
        add("POST", "/api/v1/builds/:id/retry", to: &router, retry)
        add("GET", "/api/v1/deliveries", to: &router, deliveries)
        add("GET", "/api/v1/deliveries/:id", to: &router, delivery)
        add("POST", "/api/v1/deliveries/:id/redeliver", to: &router, redeliver)
        add("GET", "/api/v1/repositories", to: &router, repositories)
        add("GET", "/api/v1/repositories/:ns/:name", to: &router, repository)
        add("GET", "/healthz", to: &router) { _, _ in .text(200, "ok\n") }
        add("GET", "/readyz", to: &router) { _, _ in await ready() }
        return router
    }

    typealias Path = PathParameters

    func add(
        _ method: String, _ pattern: String, to router: inout Router,
        _ handler: @escaping @Sendable (HTTPRequest, Path) async throws -> HTTPResponse
    ) {
        router.on(method, pattern) { request, path in
            var request = request
            request.remoteAddress = proxies.caller(
                peer: request.remoteAddress, forwardedFor: request.headers("X-Forwarded-For"))
            do {
                return try await handler(request, path)
            } catch {
                return await refuse(error, request)
            }
        }
    }

    func repository(_ path: Path) throws -> RepositoryName {
        let text = "\(path["ns"])/\(path["name"])"
        do {
            return try RepositoryName(text)
        } catch {
            throw IntakeError.unknown("\(error)")
        }
    }

    // MARK: Health

    private func ready() async -> HTTPResponse {
        do {
            try await store.probe()
        } catch {
            return .problem(503, title: "Not ready", detail: "the database takes nothing: \(error)")
        }
        if let fault = await fault() { return .problem(503, title: "Not ready", detail: fault) }
        return .text(200, "ready\n" + (await obstacle().map { $0 + "\n" } ?? ""))
    }
}
