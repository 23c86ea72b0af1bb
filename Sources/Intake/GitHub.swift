import Foundation
import Model

/// GitHub's webhooks (docs.github.com, "Webhook events and payloads").
struct GitHub: GitHost {
    let name = "github"

    func sent(_ inbound: Inbound) -> Bool { inbound.header("X-GitHub-Event") != nil }

    func delivery(_ inbound: Inbound) -> String? { inbound.header("X-GitHub-Delivery") }

    func verify(_ inbound: Inbound, _ trust: Trust) throws {
        try Signature.check(
            inbound.header("X-Hub-Signature-256"), in: "X-Hub-Signature-256", prefix: "sha256=", of: inbound.body, trust
        )
    }

    func read(_ inbound: Inbound) throws -> Webhook {
        let event = inbound.header("X-GitHub-Event") ?? ""
        switch event {
        case "ping": return Webhook(event: event, reasons: ["ping: the webhook is set up"])
        case "push": return try Self.push(Self.json(inbound))
        default: return Webhook(event: event, reasons: ["event \"\(event.excerpt())\" builds nothing; only pushes do"])
        }
    }

    /// The JSON, out of the form where GitHub was told to send one.
    private static func json(_ inbound: Inbound) throws(IntakeError) -> Data {
        guard inbound.saysForm else { return inbound.body }
        guard let payload = Form.fields(inbound.body)?["payload"] else {
            throw .unreadable("the form has no field \"payload\"; set the webhook's content type to application/json")
        }
        return Data(payload.utf8)
    }

    private struct Payload: Decodable {
        struct Commit: Decodable {
            struct Author: Decodable {
                var name: String?
                var username: String?
            }
            var id: String
            var message: String?
            var author: Author?
        }
        struct Repository: Decodable {
            var default_branch: String?
            var clone_url: String?
            var ssh_url: String?
            var git_url: String?
        }
        var ref: String
        var before: String?
        var after: String
        var deleted: Bool?
        var head_commit: Commit?
        var repository: Repository?
    }

    private static func push(_ json: Data) throws -> Webhook {
        let payload: Payload
        do {
            payload = try JSONDecoder().decode(Payload.self, from: json)
        } catch {
            throw IntakeError.unreadable(Unreadable.sentence(json, error, wanted: "GitHub's push payload"))
        }
        let repository = payload.repository
        var webhook = Webhook(
            event: "push",
            addresses: [repository?.clone_url, repository?.ssh_url, repository?.git_url].compactMap(\.self))
        let ref: RefName
        do {
            ref = try RefName(payload.ref)
        } catch {
            webhook.reasons = ["\(error)"]
            return webhook
        }
        do {
            let after = try CommitID(payload.after)
            if payload.deleted == true || after.isZero {
                webhook.reasons = ["\(ref.kind.rawValue) \"\(ref.name)\" was deleted; its images stay"]
                return webhook
            }
            // For an annotated tag `after` may be the tag object; `head_commit` is always the commit.
            let commit = try payload.head_commit.map { head in try CommitID(head.id) } ?? after
            let before = try? payload.before.map { before in try CommitID(before) }
            webhook.pushes = [
                Push(
                    ref: ref, commit: commit, before: before?.isZero == false ? before : nil,
                    message: payload.head_commit?.message,
                    author: payload.head_commit?.author?.name ?? payload.head_commit?.author?.username,
                    defaultBranch: repository?.default_branch)
            ]
            return webhook
        } catch {
            throw IntakeError.unreadable("the push of \(ref) can't be read: \(error)")
        }
    }
}
