import Foundation

/// GitHub's webhooks (docs.github.com, "Webhook events and payloads").
struct GitHub: GitHost {
    let name = "github"

    func sent(_ inbound: Inbound) -> Bool { inbound.header("X-GitHub-Event") != nil }

    func delivery(_ inbound: Inbound) -> String? { inbound.header("X-GitHub-Delivery").filled }

    func verify(_ inbound: Inbound, _ trust: Trust) throws {
        // A form is signed as it was sent.
        try Signature.check(
            inbound.header("X-Hub-Signature-256"), in: "X-Hub-Signature-256", prefix: "sha256=", of: inbound.body, trust
        )
    }

    func read(_ inbound: Inbound) throws -> Webhook {
        try GitHubEvent.read(inbound.header("X-GitHub-Event") ?? "", from: "GitHub", inbound) { push in
            push.head?.id ?? push.after
        }
    }
}
