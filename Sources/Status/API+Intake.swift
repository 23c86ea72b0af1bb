import Foundation
import HTTP
import Intake
import Model
import Platform
import Queue
import Settings

/// Webhooks, triggers and asked builds.
extension API {
    func addIntake(to router: inout Router) {
        add("POST", "/webhooks/:ns/:name", to: &router) { request, path in
            try await answer(receiver.webhook(repository(path), inbound(request)))
        }
        add("POST", "/webhooks", to: &router) { request, _ in try await answer(receiver.webhook(inbound(request))) }
        add("POST", "/webhooks/registry", to: &router) { request, _ in try await registryNotice(request) }
        add("POST", "/triggers/:token", to: &router) { request, path in try await answer(trigger(request, path)) }
        // Docker Hub's addresses. What stands in them beside the token was the image's name, or a number of Docker Hub's
        // own; the repository may be called otherwise here, so the token alone decides.
        add("POST", "/u/:ns/:name/trigger/:token", to: &router, classicTrigger)
        add("POST", "/api/build/v1/source/:source/trigger/:token/call", to: &router, sourceTrigger)
        add("POST", "/api/v1/repositories/:ns/:name/builds", to: &router, start)
    }

    func inbound(_ request: HTTPRequest) -> Inbound {
        Inbound(
            headers: request.headers.map { Header(name: $0.name, value: $0.value) }, body: request.body,
            remoteAddress: request.remoteAddress, receivedAt: time.now)
    }

    func answer(_ answer: Receiver.Answer) -> HTTPResponse {
        .json(answer.accepted ? 202 : 200, json(answer))
    }

    /// What came of a request; its builds are logged.
    private func json(_ answer: Receiver.Answer) -> AnswerJSON {
        for build in answer.builds {
            log.info("accepted", ["build": build.id, "repository": build.repository, "ref": build.ref])
        }
        return AnswerJSON(
            delivery: answer.delivery, builds: answer.builds.map { BuildJSON($0, url: url) },
            ignored: answer.ignored.map(AnswerJSON.IgnoredJSON.init))
    }

    /// A registry tells of pushed tags. Its word only makes Slipway look by itself, so it needs no proof.
    private func registryNotice(_ request: HTTPRequest) async throws -> HTTPResponse {
        let notice = try RegistryNotice(request.body)
        let images = notice.pushed.isEmpty ? [] : notice.images(in: try await store.basesInUse().map(\.reference))
        // Registries tell of every push: only what makes work is counted.
        if !images.isEmpty { try await gate.admit(from: request.remoteAddress) }
        look(images)
        return .json(200, LookedAtJSON(lookedAt: images.map(\.shown)))
    }

    private struct LookedAtJSON: Encodable {
        var lookedAt: [String]

        enum CodingKeys: String, CodingKey { case lookedAt = "looked_at" }
    }

    private func start(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .build)
        let name = try repository(path)
        guard caller.sees(name) else { throw Refusal.unseen(name) }
        try await admit(caller)
        return try await answer(receiver.start(name, caller: caller.name, inbound(request)))
    }

    /// - Throws: `TooManyRequests` where the caller's token has started as many builds as it may for now.
    func admit(_ caller: Access.Caller) async throws(TooManyRequests) {
        if let token = caller.name { try await gate.admit("the access token \"\(token)\"") }
    }

    // MARK: Triggers

    private func trigger(_ request: HTTPRequest, _ path: Path) async throws -> Receiver.Answer {
        try await trigger(holder(path), request)
    }

    private func trigger(_ holder: TokenHolder, _ request: HTTPRequest) async throws -> Receiver.Answer {
        try await gate.admit("the trigger token \"\(holder.token.name)\" of \(holder.repository.name)")
        return try await receiver.trigger(holder, inbound(request))
    }

    private func holder(_ path: Path) throws -> TokenHolder {
        try receiver.holder(ofToken: path["token"])
    }

    /// `OK`, as Docker Hub's first trigger answered; where JSON is asked for, its list of builds.
    private func classicTrigger(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let answer = try await trigger(request, path)
        let list = json(answer)
        guard request.headers("Accept").contains(where: { $0.lowercased().contains("application/json") }) else {
            return .text(200, "OK")
        }
        var builds = zip(answer.builds, list.builds).map { ClassicBuildJSON($0, url: $1.url) }
        for id in answer.ignored.compactMap(\.build) {
            guard let build = try await store.build(id) else { continue }
            builds.append(ClassicBuildJSON(known: build, url: BuildJSON(build, url: url).url))
        }
        return .json(200, builds)
    }

    /// The source as Docker Hub's second trigger answered it, with 202.
    private func sourceTrigger(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let holder = try holder(path)
        // Builds that came to no result are none that Docker Hub could tell of.
        let told = BuildQuery(
            repository: holder.repository.name, states: [.pending, .building, .pushing, .finished, .failed], limit: 1)
        let before = try await store.builds(told).first
        let answer = try await trigger(holder, request)
        return .json(
            202, SourceJSON(holder.repository, uuid: path["source"], before: before?.state, answer: json(answer)))
    }
}
