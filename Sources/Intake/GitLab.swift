import Foundation
import Model
import Platform

/// GitLab's webhooks and system hooks (docs.gitlab.com, "Webhooks", "Webhook events", "System hooks").
struct GitLab: GitHost {
    let name = "gitlab"

    func sent(_ inbound: Inbound) -> Bool { inbound.header("X-Gitlab-Event") != nil }

    /// Not `X-Gitlab-Event-UUID`, which webhooks that set off each other share.
    func delivery(_ inbound: Inbound) -> String? {
        inbound.header("Idempotency-Key").filled ?? inbound.header("webhook-id").filled
    }

    /// Secrets that begin with `whsec_` are signing tokens, others secret tokens; GitLab may send the proof of either or
    /// of both, and one is enough.
    func verify(_ inbound: Inbound, _ trust: Trust) throws {
        let secrets = try trust.needed()
        let keys = secrets.filter { $0.value.hasPrefix(StandardWebhooks.keyPrefix) }
        let tokens = secrets.filter { !$0.value.hasPrefix(StandardWebhooks.keyPrefix) }
        let token = inbound.header("X-Gitlab-Token").filled
        let isSigned = inbound.header("webhook-signature").filled != nil
        if let token {
            // No early end: the time must not tell which secret was nearly right.
            let known = tokens.reduce(false) { Crypto.constantTimeEqual(Data($1.value.utf8), Data(token.utf8)) || $0 }
            if known { return }
        }
        if isSigned, !keys.isEmpty { return try StandardWebhooks.check(inbound, keys: keys, trust) }
        let sentence =
            if token != nil, !tokens.isEmpty {
                trust.wrong("token in X-Gitlab-Token")
            } else if isSigned {
                "no webhook_secret of \(trust.owner) is a signing token (whsec_…) for the header webhook-signature; "
                    + "add the one that GitLab shows"
            } else if tokens.isEmpty {
                "the header webhook-signature is missing or empty, and the webhook_secret of \(trust.owner) is a signing "
                    + "token (whsec_…): it must be the webhook's signing token at GitLab, not its secret token"
            } else {
                "the headers X-Gitlab-Token and webhook-signature are missing or empty; "
                    + "give GitLab the webhook_secret of \(trust.owner) as the webhook's secret token"
            }
        throw IntakeError.unauthenticated(sentence)
    }

    func read(_ inbound: Inbound) throws -> Webhook {
        let event = inbound.header("X-Gitlab-Event") ?? ""
        if event == "Push Hook" || event == "Tag Push Hook" {
            return try Self.webhook(
                event, Unreadable.decoded(inbound.body, as: PushEvent.self, wanted: "GitLab's push event"))
        }
        let other = try Unreadable.decoded(inbound.body, as: OtherEvent.self, wanted: "GitLab's event")
        guard event == "System Hook" else {
            return Webhook(
                event: event, addresses: other.addresses,
                reasons: ["event \"\(event.excerpt())\" builds nothing; only push and tag push events do"])
        }
        if let push = other.push { return try Self.webhook(event, push) }
        let reason =
            switch other.name {
            case "repository_update": "event \"repository_update\" builds nothing; the push events tell of the same"
            case let name?: "event \"\(name.excerpt())\" builds nothing; only push and tag push events do"
            case nil: "a system hook without \"event_name\" builds nothing"
            }
        return Webhook(event: event, addresses: other.addresses, reasons: [reason])
    }

    private static func webhook(_ event: String, _ push: PushEvent) throws(IntakeError) -> Webhook {
        var webhook = Webhook(event: event, addresses: push.places.addresses)
        try webhook.add(push.body, tagged: push.checkout, defaultBranch: push.places.project?.default_branch)
        return webhook
    }

    private enum Key: String, CodingKey {
        case event_name, object_kind, checkout_sha
    }

    private struct PushEvent: Decodable {
        var body: PushBody
        /// The commit, also of an annotated tag.
        var checkout: String?
        var places: Places

        init(from decoder: any Decoder) throws {
            body = try PushBody(from: decoder)
            checkout = try decoder.container(keyedBy: Key.self).decodeIfPresent(String.self, forKey: .checkout_sha)
            places = try Places(from: decoder)
        }
    }

    /// Any event: what it is of, and the whole only where it is a system hook's push.
    private struct OtherEvent: Decodable {
        var name: String?
        var push: PushEvent?
        var addresses: [String]

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            // An event that builds nothing may have any shape. The kind may be missing in a system hook.
            name = try? fields.decodeIfPresent(String.self, forKey: .event_name)
            if name == nil { name = try? fields.decodeIfPresent(String.self, forKey: .object_kind) }
            push = name == "push" || name == "tag_push" ? try PushEvent(from: decoder) : nil
            addresses = (try? Places(from: decoder))?.addresses ?? []
        }
    }

    /// Where a project is cloned from: its own words for it, and those that came before them.
    private struct Places: Decodable {
        struct Project: Decodable {
            var git_http_url: String?
            var git_ssh_url: String?
            var http_url: String?
            var ssh_url: String?
            var url: String?
            var default_branch: String?

            var addresses: [String] { [git_http_url, git_ssh_url, http_url, ssh_url, url].compactMap(\.filled) }
        }
        var project: Project?
        var repository: Project?

        var addresses: [String] {
            ((project?.addresses ?? []) + (repository?.addresses ?? [])).reduce(into: []) { told, address in
                if !told.contains(address) { told.append(address) }
            }
        }
    }
}
