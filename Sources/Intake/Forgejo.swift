import Foundation

/// Forgejo's webhooks (forgejo.org/docs, "Webhooks").
struct Forgejo: GitHost {
    let name = "forgejo"

    func sent(_ inbound: Inbound) -> Bool { inbound.header("X-Forgejo-Event") != nil }

    func delivery(_ inbound: Inbound) -> String? { inbound.header("X-Forgejo-Delivery").filled }

    func verify(_ inbound: Inbound, _ trust: Trust) throws {
        try Signature.check(jsonOf: inbound, in: "X-Forgejo-Signature", trust)
    }

    func read(_ inbound: Inbound) throws -> Webhook {
        try GitHubEvent.read(inbound.header("X-Forgejo-Event") ?? "", from: "Forgejo", inbound) { push in push.head?.id
        }
    }
}
