import Foundation

/// Those that tell several branches and tags in one request.
extension SendingHost {
    static let bitbucketCloud = SendingHost(
        name: "bitbucket-cloud", host: "bitbucket-cloud", tellsSeveral: true, push: { cloud(cloudPush($0)) },
        others: [(cloud(cloudPush(gone)), "was deleted"), (cloud(cloudPush([])), "changed no branch")])

    static let bitbucketServer = SendingHost(
        name: "bitbucket-server", host: "bitbucket-server", tellsSeveral: true, push: { serverSigned(serverPush($0)) },
        others: [
            (serverSigned(server("diagnostics:ping", #"{"test": true}"#)), "ping"),
            (serverSigned(serverPush(gone)), "was deleted"), (serverSigned(serverPush([])), "changed no branch"),
        ])

    static let bitbucketServerBasic = SendingHost(
        name: "bitbucket-server-basic", host: "bitbucket-server", tellsSeveral: true,
        push: { serverPush($0).adding(basic) },
        others: [
            (server("diagnostics:ping", #"{"test": true}"#).adding(basic), "ping"),
            (serverPush(gone).adding(basic), "was deleted"),
        ])

    static let azureDevOps = SendingHost(
        name: "azure-devops", host: "azure-devops", tellsSeveral: true, push: azurePush,
        others: [
            (azurePush(gone), "was deleted"), (azurePush([]), "changed no branch"),
            (azure("git.pullrequest.created", "{}"), "only git.push does"),
        ])

    private static let basic = ["Authorization": "Basic " + Data("hook:\(Bed.secret)".utf8).base64EncodedString()]

    // MARK: Bitbucket Cloud

    private static func cloud(_ json: String) -> SentWebhook {
        let sent = SentWebhook(
            json,
            [
                "User-Agent": "Bitbucket-Webhooks/2.0", "X-Event-Key": "repo:push", "X-Attempt-Number": "1",
                "X-Hook-UUID": "d0000000-0000-4000-8000-000000000002", "X-Request-UUID": UUID().uuidString,
            ])
        return sent.adding(["X-Hub-Signature": "sha256=" + sent.code(Bed.secret)])
    }

    private static func cloudPush(_ moved: [Moved]) -> String {
        let changes = moved.map { moved in
            let isGone = moved.object == SentWebhook.zeros
            let hash = isGone ? String(repeating: "7", count: 40) : moved.commit
            let ref = """
                {"type": "\(moved.kind)", "name": "\(moved.name)", "target": {"type": "commit", "hash": "\(hash)", \
                "message": "Say it", "author": {"raw": "Ada Lovelace <ada@example.com>"}}}
                """
            return """
                {"new": \(isGone ? "null" : ref), "old": \(isGone ? ref : "null"), "created": \(!isGone), \
                "closed": \(isGone), "forced": false, "truncated": false}
                """
        }
        return """
            {"push": {"changes": [\(changes.joined(separator: ", "))]}, "actor": {"display_name": "Ada"}, \
            "repository": {"type": "repository", "name": "shop", "full_name": "acme/shop", \
            "links": {"html": {"href": "https://bitbucket.org/acme/shop"}}}}
            """
    }

    // MARK: Bitbucket Data Center

    private static func server(_ event: String, _ json: String) -> SentWebhook {
        SentWebhook(
            json,
            [
                "User-Agent": "Atlassian HttpClient 4.2.0 / Bitbucket-9.4.0", "X-Event-Key": event,
                "X-Request-Id": UUID().uuidString,
            ])
    }

    private static func serverSigned(_ sent: SentWebhook) -> SentWebhook {
        sent.adding(["X-Hub-Signature": "sha256=" + sent.code(Bed.secret)])
    }

    private static func serverPush(_ moved: [Moved]) -> SentWebhook {
        let changes = moved.map { moved in
            let isGone = moved.object == SentWebhook.zeros
            return """
                {"ref": {"id": "\(moved.ref)", "displayId": "\(moved.name)", "type": "\(moved.kind.uppercased())"}, \
                "refId": "\(moved.ref)", "type": "\(isGone ? "DELETE" : "ADD")", \
                "fromHash": "\(isGone ? String(repeating: "7", count: 40) : SentWebhook.zeros)", \
                "toHash": "\(moved.object)"}
                """
        }
        let commits = moved.filter { $0.object != SentWebhook.zeros }.map {
            """
            {"id": "\($0.commit)", "displayId": "\($0.commit.prefix(11))", "message": "Say it", \
            "author": {"name": "ada", "displayName": "Ada Lovelace"}}
            """
        }
        return server(
            "repo:refs_changed",
            """
            {"eventKey": "repo:refs_changed", "date": "2026-01-02T03:04:05+0000", "actor": {"name": "ada"}, \
            "repository": {"slug": "shop", "name": "shop", "project": {"key": "ACME"}, "links": {"clone": [\
            {"name": "http", "href": "https://bitbucket.example.com/scm/acme/shop.git"}, \
            {"name": "ssh", "href": "ssh://git@bitbucket.example.com:7999/acme/shop.git"}]}}, \
            "changes": [\(changes.joined(separator: ", "))], "commits": [\(commits.joined(separator: ", "))] \
            \(commits.last.map { ", \"toCommit\": \($0)" } ?? "")}
            """)
    }

    // MARK: Azure DevOps

    private static func azure(_ event: String, _ resource: String) -> SentWebhook {
        SentWebhook(
            """
            {"subscriptionId": "d0000000-0000-4000-8000-000000000003", "notificationId": 1, \
            "id": "\(UUID().uuidString)", "eventType": "\(event)", "publisherId": "tfs", \
            "message": {"text": "Ada pushed"}, "resource": \(resource), "resourceVersion": "1.0"}
            """, basic)
    }

    @Sendable private static func azurePush(_ moved: [Moved]) -> SentWebhook {
        let updates = moved.map { moved in
            let old = moved.object == SentWebhook.zeros ? String(repeating: "7", count: 40) : SentWebhook.zeros
            return #"{"name": "\#(moved.ref)", "oldObjectId": "\#(old)", "newObjectId": "\#(moved.object)"}"#
        }
        let commits = moved.filter { !$0.isTag && $0.object != SentWebhook.zeros }.map {
            """
            {"commitId": "\($0.commit)", "comment": "Say it", "author": {"name": "Ada Lovelace"}}
            """
        }
        return azure(
            "git.push",
            """
            {"commits": [\(commits.joined(separator: ", "))], "refUpdates": [\(updates.joined(separator: ", "))], \
            "repository": {"id": "r", "name": "shop", "defaultBranch": "refs/heads/main", "project": {"name": "acme"}, \
            "remoteUrl": "https://dev.azure.com/acme/acme/_git/shop"}, "pushId": 14}
            """)
    }
}
