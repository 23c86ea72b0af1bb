import Foundation
import Platform
import TestSupport

/// Sends a request to the service; nil where there is no answer.
typealias Send =
    @Sendable (_ method: String, _ path: String, _ headers: [String: String], _ body: Data?) async ->
    Service.Reply?

/// Tells the service of pushes, as Git hosts do that never give up, and keeps what it answered.
actor Desk {
    static let secret = "between the two of us"
    static let token = "0123456789abcdef-faults"

    struct Accepted: Sendable {
        var change: Origin.Change
        var delivery: String
        var builds: [Int]
    }

    private let counts: Counts
    private let findings: Findings
    private let send: Send
    private(set) var accepted: [Accepted] = []
    /// Builds that somebody wanted to be cancelled, answered or not.
    private(set) var cancelled: Set<Int> = []
    /// Builds that came of no webhook, by what was answered.
    private(set) var asked: [Int] = []
    private var waiting: (count: Int, CheckedContinuation<Void, Never>)?
    private var telling: [String: [Task<Void, any Error>]] = [:]

    init(counts: Counts, findings: Findings, send: @escaping Send) {
        self.counts = counts
        self.findings = findings
        self.send = send
    }

    /// Tells of a change after a while; each of `times` with the same delivery id.
    func tell(_ change: Origin.Change, after pauses: [Duration]) {
        let id = UUID().uuidString
        for pause in pauses {
            let task = Task {
                try await Task.sleep(for: pause)
                try await tell(change, id)
            }
            telling[change.repository + change.ref, default: []].append(task)
        }
    }

    /// Comes back when all that was to be told of a ref was told; nil is every ref.
    func settle(_ repository: String? = nil, _ ref: String = "") async throws {
        for key in repository.map({ [$0 + ref] }) ?? telling.keys.sorted() {
            for task in telling[key] ?? [] { try await task.value }
            telling[key] = nil
        }
    }

    /// Tells of a change once; where there is no answer, nothing was promised.
    func tellOnce(_ change: Origin.Change) async {
        let (headers, body) = Self.webhook(change, UUID().uuidString)
        counts.add("deliveries")
        guard let reply = await send("POST", "/webhooks/\(change.repository)", headers, body) else {
            return counts.add("no answer")
        }
        keep(reply, of: change)
    }

    /// Comes back when so many deliveries were accepted.
    func waits(for count: Int) async {
        guard accepted.count < count else { return }
        await withCheckedContinuation { waiting = (count, $0) }
    }

    private func tell(_ change: Origin.Change, _ id: String) async throws {
        let (headers, body) = Self.webhook(change, id)
        keep(try await ask("POST", "/webhooks/\(change.repository)", headers, body, counting: "deliveries"), of: change)
    }

    private func keep(_ reply: Service.Reply, of change: Origin.Change) {
        guard reply.status == 202, let delivery = reply.object["delivery"] as? String else {
            findings.add(
                "a webhook of \(change.ref) in \(change.repository) was answered \(reply.status): \(reply.text)")
            return
        }
        accepted.append(Accepted(change: change, delivery: delivery, builds: reply.builds.map(\.id)))
        counts.add("deliveries accepted")
        if let (count, continuation) = waiting, accepted.count >= count {
            waiting = nil
            continuation.resume()
        }
    }

    func trigger(_ repository: String, branch: String) async throws {
        let body = try JSONSerialization.data(withJSONObject: ["source_type": "Branch", "source_name": branch])
        let headers = ["Content-Type": "application/json"]
        let reply = try await ask(
            "POST", "/triggers/\(Self.token)-\(repository.replacing("/", with: "-"))", headers, body,
            counting: "triggers")
        if reply.status == 202 {
            asked += reply.builds.map(\.id)
        } else {
            findings.add("a trigger of \(repository) was answered \(reply.status): \(reply.text)")
        }
    }

    func cancel(_ build: Int) async throws {
        cancelled.insert(build)
        let reply = try await ask("POST", "/api/v1/builds/\(build)/cancel", [:], nil, counting: "cancels")
        if ![200, 202, 409].contains(reply.status) {
            findings.add("cancelling build \(build) was answered \(reply.status): \(reply.text)")
        }
    }

    func retry(_ build: Int) async throws {
        let reply = try await ask("POST", "/api/v1/builds/\(build)/retry", [:], nil, counting: "retries")
        switch reply.status {
        case 202: asked += reply.builds.map(\.id)
        // It had not ended yet.
        case 409: counts.add("retries in vain")
        default: findings.add("retrying build \(build) was answered \(reply.status): \(reply.text)")
        }
    }

    /// Asks until there is an answer that is no excuse.
    private func ask(
        _ method: String, _ path: String, _ headers: [String: String], _ body: Data?, counting name: String
    ) async throws -> Service.Reply {
        while true {
            counts.add(name)
            if let reply = await send(method, path, headers, body) {
                guard reply.status == 429 || reply.status >= 500 else { return reply }
                counts.add("answers \(reply.status)")
            } else {
                counts.add("no answer")
            }
            // A sender's own pause before it sends again.
            try await Task.sleep(for: .milliseconds(150))
        }
    }

    /// Signed, as GitHub does.
    private static func webhook(_ change: Origin.Change, _ id: String) -> (headers: [String: String], body: Data) {
        let payload: [String: Any] = [
            "ref": change.ref, "before": change.before ?? String(repeating: "0", count: 40), "after": change.after,
            "created": change.before == nil, "deleted": false, "forced": false,
            "repository": ["full_name": change.repository, "default_branch": "main"],
            "head_commit": ["id": change.after, "message": "A change", "author": ["name": "Ada Lovelace"]]
                as [String: Any],
        ]
        let body = (try? JSONSerialization.data(withJSONObject: payload, options: .sortedKeys)) ?? Data()
        let headers = [
            "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": id,
            "X-Hub-Signature-256": "sha256=" + Crypto.hmacSHA256(key: Data(secret.utf8), body).hex,
        ]
        return (headers, body)
    }
}
