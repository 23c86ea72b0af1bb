import Foundation
import Model

/// What a webhook told.
enum WebhookEvent: Sendable, Equatable {
    case push(Push)
    /// Nothing to build, and why: a ping, a deletion, an event of another kind.
    case nothing(String)
}

/// GitHub's webhooks (docs.github.com, "Webhook events and payloads").
enum GitHub {
    static let eventHeader = "X-GitHub-Event"
    static let deliveryHeader = "X-GitHub-Delivery"

    /// Reads a body whose signature was checked.
    static func read(event: String, _ inbound: Inbound) throws(IntakeError) -> WebhookEvent {
        switch event {
        case "ping": return .nothing("ping: the webhook is set up")
        case "push": return try push(json(inbound))
        default: return .nothing("event \"\(event.excerpt())\" builds nothing; only pushes do")
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
        }
        var ref: String
        var after: String
        var deleted: Bool?
        var head_commit: Commit?
        var repository: Repository?
    }

    private static func push(_ json: Data) throws(IntakeError) -> WebhookEvent {
        let payload: Payload
        do {
            payload = try JSONDecoder().decode(Payload.self, from: json)
        } catch {
            throw .unreadable(Unreadable.sentence(json, error, wanted: "GitHub's push payload"))
        }
        let ref: RefName
        do {
            ref = try RefName(payload.ref)
        } catch {
            return .nothing("\(error)")
        }
        do {
            let after = try CommitID(payload.after)
            if payload.deleted == true || after.isZero {
                return .nothing("\(ref.kind.rawValue) \"\(ref.name)\" was deleted; its images stay")
            }
            // For an annotated tag `after` may be the tag object; `head_commit` is always the commit.
            let commit = try payload.head_commit.map { head in try CommitID(head.id) } ?? after
            return .push(
                Push(
                    ref: ref, commit: commit, message: payload.head_commit?.message,
                    author: payload.head_commit?.author?.name ?? payload.head_commit?.author?.username,
                    defaultBranch: payload.repository?.default_branch))
        } catch {
            throw .unreadable("the push of \(ref) can't be read: \(error)")
        }
    }
}

/// Says what is wrong with a body that can't be read.
enum Unreadable {
    static func sentence(_ body: Data, _ error: any Error, wanted: String) -> String {
        if body.isEmpty { return "the body is empty; \(wanted) is JSON" }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "the body is not \(wanted): \(path(context.codingPath + [key])) is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            return "the body is not \(wanted): \(path(context.codingPath)) is of another type"
        case DecodingError.dataCorrupted(let context):
            let cause =
                context.underlyingError.map { " (\(($0 as NSError).userInfo["NSDebugDescription"] ?? $0))" } ?? ""
            return "the body is not JSON\(cause)".excerpt(300)
        default:
            return "the body is not \(wanted): \(error)".excerpt(300)
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.isEmpty ? "the whole" : "\"" + keys.map(\.stringValue).joined(separator: ".") + "\""
    }
}
