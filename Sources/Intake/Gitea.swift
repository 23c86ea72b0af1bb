import Foundation

/// Gitea's webhooks (docs.gitea.com, "Webhooks"; services/webhook/deliver.go).
struct Gitea: GitHost {
    let name = "gitea"

    func sent(_ inbound: Inbound) -> Bool { inbound.header("X-Gitea-Event") != nil }

    func delivery(_ inbound: Inbound) -> String? { inbound.header("X-Gitea-Delivery").filled }

    func verify(_ inbound: Inbound, _ trust: Trust) throws {
        try Signature.check(jsonOf: inbound, in: "X-Gitea-Signature", trust)
    }

    func read(_ inbound: Inbound) throws -> Webhook {
        try GitHubEvent.read(inbound.header("X-Gitea-Event") ?? "", from: "Gitea", inbound) { push in push.head?.id }
    }
}
