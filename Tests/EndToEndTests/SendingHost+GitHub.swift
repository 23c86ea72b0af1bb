import Foundation

/// GitHub, and those that took its words over.
extension SendingHost {
    static let gitHub = SendingHost(
        name: "github", host: "github", push: { gitHub("push", push($0)) },
        others: [
            (
                gitHub("ping", #"{"zen": "Keep it logically awesome.", "hook_id": 1, "hook": {"type": "Repository"}}"#),
                "ping"
            ),
            (gitHub("push", push([gone[0]])), "was deleted"), (gitHub("push", push([gone[1]])), "was deleted"),
            (gitHub("delete", deleted(gone[1])), "was deleted"),
            (gitHub("create", created(gone[0])), "the push event tells of it"),
            (gitHub("issues", #"{"action": "opened", "issue": {"number": 1}}"#), "builds nothing"),
        ])

    static let gitea = SendingHost(
        name: "gitea", host: "gitea", push: { gitea("push", push($0)) },
        others: [
            (gitea("push", push([gone[1]])), "was deleted"), (gitea("delete", deleted(gone[0])), "was deleted"),
            (gitea("create", created(gone[0])), "the push event tells of it"),
        ])

    static let forgejo = SendingHost(
        name: "forgejo", host: "forgejo", push: { forgejo("push", push($0)) },
        others: [
            (forgejo("push", push([gone[1]])), "was deleted"), (forgejo("delete", deleted(gone[0])), "was deleted"),
            (forgejo("create", created(gone[1])), "the push event tells of it"),
        ])

    /// It has no push event for tags.
    static let gogs = SendingHost(
        name: "gogs", host: "gogs",
        push: { $0[0].isTag ? gogs("create", created($0[0])) : gogs("push", push($0, tellsHead: false)) },
        others: [
            (gogs("delete", deleted(gone[0])), "was deleted"), (gogs("delete", deleted(gone[1])), "was deleted"),
            (gogs("create", created(gone[0])), "the push event tells of it"),
        ])

    // MARK: Requests

    static func gitHub(
        _ event: String, _ json: String, delivery: String = UUID().uuidString, secret: String = Bed.secret
    ) -> SentWebhook {
        let sent = SentWebhook(
            json,
            [
                "User-Agent": "GitHub-Hookshot/044aadd", "X-GitHub-Event": event, "X-GitHub-Delivery": delivery,
                "X-GitHub-Hook-ID": "292430182", "X-GitHub-Hook-Installation-Target-ID": "79929171",
                "X-GitHub-Hook-Installation-Target-Type": "repository",
            ])
        return sent.adding([
            "X-Hub-Signature": sent.oldCode(secret), "X-Hub-Signature-256": "sha256=" + sent.code(secret),
        ])
    }

    /// With the headers of those whose webhooks it is to pass for.
    static func gitea(_ event: String, _ json: String, delivery: String = UUID().uuidString) -> SentWebhook {
        let sent = SentWebhook(
            json,
            [
                "User-Agent": "Go-http-client/1.1", "X-Gitea-Event": event, "X-Gitea-Event-Type": event,
                "X-Gitea-Delivery": delivery, "X-Gogs-Event": event, "X-Gogs-Event-Type": event,
                "X-Gogs-Delivery": delivery, "X-GitHub-Event": event, "X-GitHub-Event-Type": event,
                "X-GitHub-Delivery": delivery,
            ])
        let code = sent.code(Bed.secret)
        return sent.adding([
            "X-Gitea-Signature": code, "X-Gogs-Signature": code, "X-Hub-Signature": sent.oldCode(Bed.secret),
            "X-Hub-Signature-256": "sha256=" + code,
        ])
    }

    private static func forgejo(_ event: String, _ json: String) -> SentWebhook {
        let sent = gitea(event, json)
        return sent.adding([
            "X-Forgejo-Event": event, "X-Forgejo-Event-Type": event, "X-Forgejo-Delivery": UUID().uuidString,
            "X-Forgejo-Signature": sent.code(Bed.secret),
        ])
    }

    private static func gogs(_ event: String, _ json: String) -> SentWebhook {
        let (sent, delivery) = (SentWebhook(json, ["User-Agent": "GogsServer"]), UUID().uuidString)
        return sent.adding([
            "X-Github-Delivery": delivery, "X-Github-Event": event, "X-Gogs-Delivery": delivery,
            "X-Gogs-Event": event, "X-Gogs-Signature": sent.code(Bed.secret),
        ])
    }

    // MARK: Bodies

    static let repository = """
        {"id": 1, "name": "shop", "full_name": "acme/shop", "private": false, "default_branch": "main", \
        "owner": {"login": "acme"}, "html_url": "https://git.example.com/acme/shop", \
        "clone_url": "https://git.example.com/acme/shop.git", "ssh_url": "git@git.example.com:acme/shop.git"}
        """

    /// - Parameter tellsHead: whether the commit stands in `head_commit` too.
    static func push(_ moved: [Moved], tellsHead: Bool = true, repository: String = repository) -> String {
        let moved = moved[0]
        let isGone = moved.object == SentWebhook.zeros
        let before = isGone ? String(repeating: "7", count: 40) : SentWebhook.zeros
        let commit = """
            {"id": "\(moved.commit)", "message": "Say it", "timestamp": "2026-01-02T03:04:05Z", \
            "url": "https://git.example.com/acme/shop/commit/\(moved.commit)", "added": [], "removed": [], \
            "modified": ["hello"], "author": {"name": "Ada Lovelace", "email": "ada@example.com", "username": "ada"}}
            """
        return """
            {"ref": "\(moved.ref)", "before": "\(before)", "after": "\(moved.object)", "created": \(!isGone), \
            "deleted": \(isGone), "forced": false, "base_ref": null, "compare": "https://git.example.com/c", \
            "commits": [\(isGone || moved.isTag ? "" : commit)], \
            \(tellsHead ? "\"head_commit\": \(isGone ? "null" : commit)," : "") \
            "repository": \(repository), "pusher": {"name": "ada"}, "sender": {"login": "ada"}}
            """
    }

    /// The names are short here.
    static func created(_ moved: Moved) -> String {
        """
        {"ref": "\(moved.name)", "ref_type": "\(moved.kind)", "sha": "\(moved.object)", "default_branch": "main", \
        "master_branch": "main", "repository": \(repository), "sender": {"login": "ada"}}
        """
    }

    private static func deleted(_ moved: Moved) -> String {
        """
        {"ref": "\(moved.name)", "ref_type": "\(moved.kind)", "pusher_type": "user", \
        "repository": \(repository), "sender": {"login": "ada"}}
        """
    }
}
