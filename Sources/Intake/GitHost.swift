import Foundation
import Model

/// A kind of Git host: how its webhooks are told from others', proven and read. One file each.
protocol GitHost: Sendable {
    /// As in a build's cause: `github`.
    var name: String { get }

    /// Whether the request is one of its webhooks. `GitHosts.all` is asked in order: some send others' headers too.
    func sent(_ inbound: Inbound) -> Bool

    /// What the host calls this delivery, the same when it is sent again; nil where it tells nothing of the kind.
    func delivery(_ inbound: Inbound) -> String?

    /// Proves that whoever shares the trust sent the request, before anything of its body is believed.
    ///
    /// - Throws: `IntakeError.unauthenticated`.
    func verify(_ inbound: Inbound, _ trust: Trust) async throws

    /// Reads a request; its body is whoever's word that `verify` proved.
    ///
    /// - Throws: `IntakeError.unreadable`.
    func read(_ inbound: Inbound) async throws -> Webhook
}

/// What a webhook told, whatever host sent it.
package struct Webhook: Sendable, Equatable {
    /// The kind of event, in the host's own word: `push`, `Push Hook`, `repo:push`.
    package var event: String
    /// Where the repository is cloned from, in every way that the host tells or is known to offer; empty where the event
    /// is of no repository.
    package var addresses: [String]
    /// The branches and tags that now point at a commit, in the order told.
    package var pushes: [Push]
    /// Why the rest of it builds nothing: a ping, a deletion, an event of another kind.
    package var reasons: [String]

    package init(event: String, addresses: [String] = [], pushes: [Push] = [], reasons: [String] = []) {
        self.event = event
        self.addresses = addresses
        self.pushes = pushes
        self.reasons = reasons
    }
}

/// By what a webhook's sender is known.
struct Trust: Sendable {
    /// What the secrets are for, as sentences call it: `acme/shop`, `the top level of the settings`.
    var owner: String
    /// Any of them may prove a webhook.
    var secrets: [Secret]
    /// The topics of Amazon SNS whose messages are taken, as ARNs: its signature proves Amazon, and anybody can be its
    /// customer.
    var topics: [String]
}
