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

    let live: LiveSettings
    var settings: Settings { live.now }
    let store: any Store
    let receiver: Receiver
    let time: any TimeSource
    let log: Log
    /// How others reach the service.
    let publicURL: @Sendable () -> String
    var url: String { publicURL() }
    var access: Access { Access(settings.access) }
    let gate: Gate
    let version: String
    /// When the service began.
    let since: Date
    /// The name of the engine; nil where none was found yet.
    let engine: @Sendable () async -> String?
    let fault: Fault
    let obstacle: Fault
    /// Looks, soon, whether images in use have moved.
    let look: @Sendable ([ImageReference]) -> Void
    let findForecast: Forecast.Find?
    let forecasting = Forecasting()

    /// - Parameters:
    ///   - version: of the program.
    ///   - fault: what `/readyz` asks beside the database, such as whether there is an engine.
    ///   - obstacle: why no build may begin though the service is ready, such as too little room.
    ///   - look: is told which base images may have moved; comes back at once.
    ///   - forecast: nil where nothing is built here.
    package init(
        settings: LiveSettings, store: any Store, receiver: Receiver, time: any TimeSource, log: Log,
        version: String = "", url: @escaping @Sendable () -> String,
        engine: @escaping @Sendable () async -> String? = { nil }, fault: @escaping Fault,
        obstacle: @escaping Fault = { nil }, look: @escaping @Sendable ([ImageReference]) -> Void = { _ in },
        forecast: Forecast.Find? = nil
    ) {
        live = settings
        self.store = store
        self.receiver = receiver
        self.time = time
        self.log = log
        publicURL = url
        self.version = version
        since = time.now
        self.engine = engine
        self.fault = fault
        self.obstacle = obstacle
        self.look = look
        findForecast = forecast
        gate = Gate(settings, store: store, time: time, log: log)
    }

    /// All addresses and what answers them.
    package var router: Router {
        var router = Router()
        addIntake(to: &router)
        add("GET", "/api/v1/builds", to: &router, builds)
        add("GET", "/api/v1/builds/:id", to: &router, build)
        add("GET", "/api/v1/builds/:id/log", to: &router, buildLog)
        add("POST", "/api/v1/builds/:id/cancel", to: &router, cancel)
        add("POST", "/api/v1/builds/:id/retry", to: &router, retry)
        add("GET", "/api/v1/deliveries", to: &router, deliveries)
        add("GET", "/api/v1/deliveries/:id", to: &router, delivery)
        add("POST", "/api/v1/deliveries/:id/redeliver", to: &router, redeliver)
        add("GET", "/api/v1/repositories", to: &router, repositories)
        add("GET", "/api/v1/repositories/:ns/:name", to: &router, repository)
        add("GET", "/api/v1/repositories/:ns/:name/inputs", to: &router, forecast)
        add("GET", "/api/v1/service", to: &router, service)
        add("POST", "/api/v1/pause", to: &router, pause)
        add("POST", "/api/v1/resume", to: &router, resume)
        add("GET", "/api/v1/workers", to: &router, workers)
        add("POST", "/api/v1/workers/:worker/drain", to: &router, drain)
        add("POST", "/api/v1/workers/:worker/resume", to: &router, resumeWorker)
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
            request.remoteAddress = TrustedProxies(settings.trustedProxies).caller(
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

    /// Ready is who can take what is told; builds may wait all the same, and then the body says why.
    private func ready() async -> HTTPResponse {
        let waits: [String]
        do {
            try await store.probe()
            waits = try await self.waits(store.paused())
        } catch {
            return .problem(503, title: "Not ready", detail: "the database takes nothing: \(error)")
        }
        if let fault = await fault() { return .problem(503, title: "Not ready", detail: fault) }
        return .text(200, (["ready"] + waits).map { $0 + "\n" }.joined())
    }
}
