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
    private let fault: Fault
    /// How many requests were turned away since the start, by the reason.
    package var turnedAway: @Sendable () -> [String: Int] = { [:] }

    /// - Parameter fault: what `/readyz` asks beside the database, such as whether there is an engine.
    package init(
        settings: Settings, store: any Store, receiver: Receiver, time: any TimeSource, log: Log,
        url: @escaping @Sendable () -> String, fault: @escaping Fault
    ) {
        self.settings = settings
        self.store = store
        self.receiver = receiver
        self.time = time
        self.log = log
        publicURL = url
        self.fault = fault
        access = Access(settings.access)
    }

    /// All addresses and what answers them.
    package var router: Router {
        var router = Router()
        add("POST", "/webhooks/:ns/:name", to: &router) { request, path in
            try await answer(receiver.webhook(repository(path), inbound(request)))
        }
        add("POST", "/webhooks", to: &router) { request, _ in try await answer(receiver.webhook(inbound(request))) }
        add("POST", "/triggers/:token", to: &router) { request, path in
            try await answer(receiver.trigger(token: path["token"], inbound(request)))
        }
        add("POST", "/api/v1/repositories/:ns/:name/builds", to: &router) { request, path in
            let caller = try access.caller(request, needs: .build)
            let name = try repository(path)
            guard caller.sees(name) else { throw Refusal.unseen(name) }
            return try await answer(receiver.start(name, inbound(request)))
        }
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

    private func add(
        _ method: String, _ pattern: String, to router: inout Router,
        _ handler: @escaping @Sendable (HTTPRequest, Path) async throws -> HTTPResponse
    ) {
        router.on(method, pattern) { request, path in
            do {
                return try await handler(request, path)
            } catch {
                return refuse(error, request)
            }
        }
    }

    // MARK: Errors

    private func refuse(_ error: any Error, _ request: HTTPRequest) -> HTTPResponse {
        switch error {
        case let refusal as Refusal:
            return refusal.response
        case let error as IntakeError:
            log.warning(
                "turned away: \(error)", ["path": request.method + " " + shown(request), "from": request.remoteAddress])
            switch error {
            case .unreadable: return .problem(400, title: "The request can't be read", detail: "\(error)")
            case .unauthenticated: return .problem(401, title: "The signature is missing or wrong", detail: "\(error)")
            case .unknown: return .problem(404, title: "Not known here", detail: "\(error)")
            case .sourceSilent: return .problem(503, title: "The Git source did not answer", detail: "\(error)")
            }
        case let error as InvalidText:
            return .problem(400, title: "The request can't be read", detail: "\(error)")
        case is CancellationError:
            return .problem(503, title: "Shutting down", detail: "the service is stopping; ask again in a moment")
        default:
            log.error("a request failed: \(error)", ["path": request.method + " " + shown(request)])
            return .problem(
                503, title: "Not accepted",
                detail: "the service could not store or read this; nothing of the request was kept, so send it again")
        }
    }

    /// The path without a trigger's token.
    private func shown(_ request: HTTPRequest) -> String {
        request.path.first == "triggers" ? "/triggers/…" : request.rawPath
    }

    // MARK: Intake

    func inbound(_ request: HTTPRequest) -> Inbound {
        Inbound(
            headers: request.headers.map { Header(name: $0.name, value: $0.value) }, body: request.body,
            remoteAddress: request.remoteAddress, receivedAt: time.now)
    }

    func answer(_ answer: Receiver.Answer) -> HTTPResponse {
        for build in answer.builds {
            log.info("accepted", ["build": build.id, "repository": build.repository, "ref": build.ref])
        }
        return .json(
            answer.accepted ? 202 : 200,
            AnswerJSON(
                delivery: answer.delivery, builds: answer.builds.map { BuildJSON($0, url: url) },
                ignored: answer.ignored.map { .init(rule: $0.rule, reason: $0.reason) }))
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
        return .text(200, "ready\n")
    }
}

extension Refusal {
    static func unseen(_ name: RepositoryName) -> Refusal {
        Refusal(404, "Not known here", "there is no repository \(name) that this token may see")
    }
}
