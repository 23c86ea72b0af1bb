import Foundation
import Status

/// Sends requests and looks for what must never come of them.
struct Inspector: Sendable {
    let target: Target

    /// - Parameter thoroughly: whether what was kept is looked at too, and taken again.
    /// - Returns: what came of it.
    /// - Throws: `Found`.
    func send(_ request: Request, thoroughly: Bool) async throws -> Outcome {
        let answer = try await target.send(request)
        let isProved = Judge.isProved(request)
        let (status, detail, builds) = (answer.status, answer.body.detail ?? "", answer.body.builds ?? [])
        // Amazon sends its messages again.
        let isPatient = status == 503 && detail.contains("too many certificates")
        guard isPatient || [200, 202, 400, 401, 404, 405].contains(status) else {
            throw Found("the answer is \(status): \(detail)")
        }
        if status < 300, !isProved { throw Found("the answer is \(status) without a proof") }
        if status == 401, isProved { throw Found("what is proved is not taken: \(detail)") }
        if status == 404, isProved, request.isWhole { throw Found("what is proved is not found: \(detail)") }
        if status >= 400, detail.isEmpty { throw Found("the answer is \(status) and gives no reason") }
        try named(builds, request)
        if let address = target.strangeAddress { throw Found("\(address) was asked, which is not Amazon's") }
        if let id = answer.body.delivery, thoroughly || request.isWhole { try await page(id, request) }
        if thoroughly { try await again(answer) }
        var outcome = Outcome()
        outcome.isProved = isProved && status != 404
        outcome.isRead =
            outcome.isProved && (status < 300 || !["the body is", "the form has no"].contains { detail.contains($0) })
        outcome.builds = builds.count
        outcome.status = status
        return outcome
    }

    struct Outcome {
        var status = 0
        /// It got past `verify`.
        var isProved = false
        /// It got past the decoder.
        var isRead = false
        var builds = 0
    }

    /// Every build is of a branch or tag, and of a commit, that the request says.
    private func named(_ builds: [Target.Answer.Body.Build], _ request: Request) throws {
        guard !builds.isEmpty else { return }
        // What a trigger doesn't say is the default branch.
        let said = Set(request.said + (request.path.hasPrefix("/webhooks") ? [] : ["main"]))
        let commits = Set(said.map { $0.lowercased() })
        for build in builds {
            let name = (build.ref ?? build.source_name ?? "").utf8
            let short = ["refs/heads/", "refs/tags/"].filter { name.starts(with: $0.utf8) }.map {
                name.dropFirst($0.utf8.count)
            }
            guard ([name[...]] + short).contains(where: { said.contains(String(Substring($0))) }) else {
                throw Found("a build is of \(name), which the request does not say")
            }
            if let commit = build.commit, !commits.contains(commit) {
                throw Found("a build is of the commit \(commit), which the request does not say")
            }
        }
    }

    /// What was kept of a request can be shown, and shows no secret.
    private func page(_ id: String, _ request: Request) async throws {
        let page = try await target.ask("GET", "/api/v1/deliveries/\(id)")
        guard page.status == 200, let shown = try? JSONDecoder().decode(WholeDeliveryJSON.self, from: page.data) else {
            throw Found("delivery \(id) can't be shown: \(page.status) \(page.body.detail ?? "")")
        }
        guard request.isWhole else { return }
        let text = shown.body + shown.headers.map(\.value).joined(separator: "\n")
        if Secrets.all.contains(where: text.contains) { throw Found("delivery \(id) shows a secret") }
    }

    /// The newest deliveries, each shown; the request's own, or else the newest, taken again; its build built again.
    private func again(_ answer: Target.Answer) async throws {
        let list = try await target.ask("GET", "/api/v1/deliveries?limit=20")
        guard list.status == 200, let deliveries = list.body.deliveries else {
            throw Found("deliveries can't be listed: \(list.status) \(list.body.detail ?? "")")
        }
        let ids = deliveries.map(\.id)
        for id in ids {
            let page = try await target.ask("GET", "/api/v1/deliveries/\(id)")
            guard page.status == 200, (try? JSONDecoder().decode(WholeDeliveryJSON.self, from: page.data)) != nil else {
                throw Found("delivery \(id) can't be shown: \(page.status) \(page.body.detail ?? "")")
            }
        }
        guard let id = answer.body.delivery ?? ids.first else { return }
        for query in ["", "?force=1"] {
            let again = try await target.ask("POST", "/api/v1/deliveries/\(id)/redeliver\(query)")
            guard [200, 202, 409].contains(again.status) else {
                throw Found("delivery \(id) is taken again with \(again.status): \(again.body.detail ?? "")")
            }
        }
        guard let build = answer.body.builds?.first?.id else { return }
        let page = try await target.ask("GET", "/api/v1/builds/\(build)")
        let retry = try await target.ask("POST", "/api/v1/builds/\(build)/retry")
        // It is pending, and has to end first.
        guard page.status == 200, retry.status == 409 else {
            throw Found("build \(build) is shown with \(page.status), and built again with \(retry.status)")
        }
    }
}
