import Foundation
import HTTP
import Intake
import Model
import Platform
import Queue

/// What operators ask for: the end of a build, a pause of all, and how it is with the service.
extension API {
    /// Why somebody asks for it; the body may be left out.
    private struct Request: Decodable {
        var reason: String?
    }

    private static let longestReason = 500

    private func reason(_ request: HTTPRequest) throws -> String? {
        let text: String?
        do {
            text = request.body.isEmpty ? nil : try JSONDecoder().decode(Request.self, from: request.body).reason
        } catch {
            throw IntakeError.unreadable(#"the body is not {"reason": "…"}, and not empty either"#)
        }
        guard let text, !text.isEmpty else { return nil }
        guard text.count <= Self.longestReason else {
            throw InvalidText("the reason is longer than \(Self.longestReason) characters")
        }
        return text
    }

    // MARK: Cancel

    /// 202 with the build while it stops; 200 with it once it has ended, with a `detail` where it had before.
    func cancel(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try access.caller(request, needs: .build)
        let before = try await seen(request, path)
        let words = ["cancelled" + (caller.name.map { " by \($0)" } ?? ""), try reason(request)]
        guard let build = try await store.cancel(before.id, reason: words.compactMap(\.self).joined(separator: ": "))
        else { throw Refusal(404, "Not known here", "there is no build \(before.id) any more") }
        let done = build.state == .cancelled && !before.state.isEnd
        let detail = build.state.isEnd && !done ? "build \(build.id) had ended before: it is \(build.state)" : nil
        if detail == nil { log.info("cancelled", ["build": build.id, "by": caller.name ?? "-", "state": build.state]) }
        return .json(build.state.isEnd ? 200 : 202, CancelJSON(build: BuildJSON(build, url: url), detail: detail))
    }

    // MARK: Pause

    func pause(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try operating(request)
        try await store.pause(Pause(since: store.now(), by: caller.name, reason: reason(request)))
        log.info("paused", ["by": caller.name ?? "-"])
        return .json(200, try await service())
    }

    func resume(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        let caller = try operating(request)
        if try await store.resume() != nil { log.info("resumed", ["by": caller.name ?? "-"]) }
        return .json(200, try await service())
    }

    func operating(_ request: HTTPRequest) throws -> Access.Caller {
        let caller = try access.caller(request, needs: .admin)
        guard caller.repositories.contains("*") else {
            throw Refusal(
                403, "The token may not do this",
                "this holds the builds of every repository, and \"\(caller.name ?? "")\" sees only some")
        }
        return caller
    }

    // MARK: The service

    func service(_ request: HTTPRequest, _ path: Path) async throws -> HTTPResponse {
        _ = try access.caller(request, needs: .read)
        return .json(200, try await service())
    }

    private func service() async throws -> ServiceJSON {
        let load = try await store.load()
        let pause = try await store.paused()
        return ServiceJSON(
            version: version, url: url, since: Timestamp.text(since), pending: load.pending, running: load.running,
            paused: pause.map(ServiceJSON.PauseJSON.init), engine: await engine(), retries: settings.retries,
            waits: [await fault()].compactMap(\.self) + (try await waits(pause)),
            now: Timestamp.text(try await store.now()))
    }

    /// Why builds wait though the service is ready, a sentence each.
    func waits(_ pause: Pause?) async throws -> [String] {
        var waits: [String] = []
        if let pause {
            let by = pause.by.map { " by \($0)" } ?? ""
            let reason = pause.reason.map { ": \($0)" } ?? ""
            waits.append("builds wait: paused\(by) since \(Timestamp.text(pause.since))\(reason)")
        }
        waits += try await waitsForWorkers()
        if let obstacle = await obstacle() { waits.append(obstacle) }
        return waits
    }
}
