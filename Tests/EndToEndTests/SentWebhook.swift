import Foundation
import Platform

/// A branch or tag as a push left it.
struct Moved: Sendable {
    /// `refs/heads/…` or `refs/tags/…`.
    let ref: String
    let commit: String
    /// What the ref points at: of an annotated tag the tag object.
    let object: String

    var isTag: Bool { ref.hasPrefix("refs/tags/") }
    var kind: String { isTag ? "tag" : "branch" }
    /// Without `refs/heads/` and `refs/tags/`.
    var name: String { String(ref.split(separator: "/", maxSplits: 2).last ?? "") }
}

/// A webhook as a Git host sends it: written by hand after the host's own, short, with its proof.
struct SentWebhook: Sendable {
    var headers: [String: String]
    var body: Data

    /// JSON, before it is proved.
    init(_ json: String, _ headers: [String: String]) {
        self.headers = headers.merging(["Content-Type": "application/json"]) { $1 }
        body = Data(json.utf8)
    }

    static let zeros = String(repeating: "0", count: 40)

    func code(_ secret: String) -> String { Crypto.hmacSHA256(key: Data(secret.utf8), body).hex }

    /// The SHA-1 that hosts still send beside what counts.
    func oldCode(_ secret: String) -> String { "sha1=" + Crypto.hmacSHA1(key: Data(secret.utf8), body).hex }

    func adding(_ headers: [String: String]) -> SentWebhook {
        var sent = self
        sent.headers.merge(headers) { $1 }
        return sent
    }
}

/// A Git host that sends webhooks.
struct SendingHost: Sendable {
    /// Of the repository that is told of: `gitlab-signed`.
    let name: String
    /// As in a build's cause: `gitlab`.
    let host: String
    var secret = Bed.secret
    /// Whether one request tells of all that a push moved.
    var tellsSeveral = false
    let push: @Sendable ([Moved]) -> SentWebhook
    /// What builds nothing, and a piece of the reason.
    let others: [(SentWebhook, String)]

    /// A branch and an annotated tag that are gone.
    static let gone = [
        Moved(ref: "refs/heads/gone", commit: SentWebhook.zeros, object: SentWebhook.zeros),
        Moved(ref: "refs/tags/v0.9", commit: SentWebhook.zeros, object: SentWebhook.zeros),
    ]

    static let all = [
        gitHub, gitLab, gitLabSigned, gitea, forgejo, gogs, bitbucketCloud, bitbucketServer, bitbucketServerBasic,
        azureDevOps,
    ]

    /// The repository's part of the settings.
    func settings(source: String, registry: String) -> String {
        """
          acme/\(name):
            source: \(source)
            image: \(registry)/acme/\(name)
            webhook_secret: "\(secret)"
            rules:
              - {branch: '/.*/', tags: '{branch}'}
              - {tag: '/.*/', tags: '{tag}'}

        """
    }
}
