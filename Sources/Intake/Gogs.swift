import Foundation

/// Gogs's webhooks (gogs.io/advancing/webhooks; internal/database/webhook.go).
struct Gogs: GitHost {
    let name = "gogs"

    func sent(_ inbound: Inbound) -> Bool { inbound.header("X-Gogs-Event") != nil }

    func delivery(_ inbound: Inbound) -> String? { inbound.header("X-Gogs-Delivery").filled }

    func verify(_ inbound: Inbound, _ trust: Trust) throws {
        try Signature.check(jsonOf: inbound, in: "X-Gogs-Signature", trust)
    }

    func read(_ inbound: Inbound) throws -> Webhook {
        let event = inbound.header("X-Gogs-Event") ?? ""
        var webhook = try GitHubEvent.read(event, from: "Gogs", inbound) { push in push.head?.id }
        guard event == "create" else { return webhook }
        let created = try Unreadable.decoded(inbound.json(), as: Created.self, wanted: "Gogs's create event")
        // No push event tells of a tag here (internal/database/actions.go, PushTag).
        if created.ref_type == "tag" {
            webhook.reasons = []
            // Its "sha" may be that of the tag object.
            try webhook.add(Webhook.Change(ref: "refs/tags/\(created.ref)"))
        }
        return webhook
    }

    private struct Created: Decodable {
        /// Without `refs/tags/`.
        var ref: String
        /// `branch` or `tag`.
        var ref_type: String
    }
}
