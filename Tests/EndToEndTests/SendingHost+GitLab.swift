import Foundation
import Platform

/// GitLab, with a secret token and with a signing token.
extension SendingHost {
    static let gitLab = SendingHost(
        name: "gitlab", host: "gitlab", push: { withToken(push($0[0])) },
        others: [
            (withToken(push(gone[0])), "was deleted"), (withToken(push(gone[1])), "was deleted"),
            (withToken(issue), "builds nothing"),
        ])

    static let gitLabSigned = SendingHost(
        name: "gitlab-signed", host: "gitlab", secret: "whsec_" + signingKey.base64EncodedString(),
        push: { signed(push($0[0])) },
        others: [(signed(push(gone[0])), "was deleted"), (signed(issue), "builds nothing")])

    private static let signingKey = Data((1...32).map { UInt8($0) })

    private static func withToken(_ sent: SentWebhook) -> SentWebhook { sent.adding(["X-Gitlab-Token": Bed.secret]) }

    /// As while the token is changed: by the old and by the new one.
    private static func signed(_ sent: SentWebhook) -> SentWebhook {
        let (id, time) = (UUID().uuidString, "\(Int(Date().timeIntervalSince1970))")
        let signatures = [Data("the former key".utf8), signingKey].map {
            "v1," + Crypto.hmacSHA256(key: $0, Data("\(id).\(time).".utf8) + sent.body).base64EncodedString()
        }
        return sent.adding([
            "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signatures.joined(separator: " "),
            "Idempotency-Key": id,
        ])
    }

    private static func request(_ event: String, _ json: String) -> SentWebhook {
        SentWebhook(
            json,
            [
                "User-Agent": "GitLab/18.0.0", "X-Gitlab-Event": event,
                "X-Gitlab-Instance": "https://gitlab.example.com",
                "X-Gitlab-Webhook-UUID": "d0000000-0000-4000-8000-000000000001",
                "X-Gitlab-Event-UUID": UUID().uuidString, "Idempotency-Key": UUID().uuidString,
            ])
    }

    private static let project = """
        {"id": 15, "name": "shop", "path_with_namespace": "acme/web/shop", "default_branch": "main", \
        "git_http_url": "https://gitlab.example.com/acme/web/shop.git", \
        "git_ssh_url": "git@gitlab.example.com:acme/web/shop.git"}
        """

    private static let issue = request("Issue Hook", #"{"object_kind": "issue", "event_type": "issue"}"#)

    private static func push(_ moved: Moved) -> SentWebhook {
        let isGone = moved.object == SentWebhook.zeros
        let kind = moved.isTag ? "tag_push" : "push"
        let commit = """
            {"id": "\(moved.commit)", "message": "Say it", "title": "Say it", \
            "author": {"name": "Ada Lovelace", "email": "[REDACTED]"}}
            """
        return request(
            moved.isTag ? "Tag Push Hook" : "Push Hook",
            """
            {"object_kind": "\(kind)", "event_name": "\(kind)", "ref": "\(moved.ref)", "ref_protected": false, \
            "before": "\(isGone ? String(repeating: "7", count: 40) : SentWebhook.zeros)", "after": "\(moved.object)", \
            "checkout_sha": \(isGone ? "null" : "\"\(moved.commit)\""), "message": null, "user_name": "Ada Lovelace", \
            "user_email": "", "project_id": 15, "project": \(project), "commits": [\(isGone ? "" : commit)], \
            "total_commits_count": \(isGone ? 0 : 1)}
            """)
    }
}
