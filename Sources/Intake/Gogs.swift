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
        try GitHubEvent.read(inbound.header("X-Gogs-Event") ?? "", from: "Gogs", inbound) { push in push.head?.id }
    }
}
