import Foundation
import Model

/// Webhooks of Bitbucket Server and Data Center (confluence.atlassian.com, "Event payload").
struct BitbucketServer: GitHost {
    let name = "bitbucket-server"

    /// Bitbucket Cloud, which has the same header, is asked before.
    func sent(_ inbound: Inbound) -> Bool { inbound.header("X-Event-Key") != nil }

    func delivery(_ inbound: Inbound) -> String? { inbound.header("X-Request-Id") }

    /// A webhook has a secret to sign with, or a user's name and password, or both.
    func verify(_ inbound: Inbound, _ trust: Trust) throws {
        let signature = inbound.header("X-Hub-Signature")
        if signature == nil, BasicPassword.isThere(inbound) { return try BasicPassword.check(inbound, trust) }
        try Signature.check(signature, in: "X-Hub-Signature", prefix: "sha256=", of: inbound.body, trust)
    }

    func read(_ inbound: Inbound) throws -> Webhook {
        let event = inbound.header("X-Event-Key") ?? ""
        switch event {
        case "diagnostics:ping": return Webhook(event: event, reasons: ["ping: the webhook is set up"])
        // A mirror tells what it has just taken over, in the same form. Who builds from the source of both hears of a
        // push twice, and it is built once; whether it is the mirror that is built from can't be told from here.
        case "repo:refs_changed", "mirror:repo_synchronized": break
        default: return Webhook(event: event, reasons: ["event \"\(event.excerpt())\" builds nothing; only pushes do"])
        }
        let payload: Payload
        do {
            payload = try JSONDecoder().decode(Payload.self, from: inbound.body)
        } catch {
            throw IntakeError.unreadable(
                Unreadable.sentence(inbound.body, error, wanted: "Bitbucket Server's push payload"))
        }
        var webhook = Webhook(event: event, addresses: payload.repository?.addresses ?? [])
        if payload.refLimitExceeded == true {
            webhook.reasons = [
                "more branches and tags changed than Bitbucket tells of; trigger those that are to be built"
            ]
        } else if payload.changes.isEmpty {
            webhook.reasons = ["the push changed no branch and no tag"]
        }
        for change in payload.changes { try webhook.add(payload.told(change)) }
        return webhook
    }

    private struct Payload: Decodable {
        struct Change: Decodable {
            struct Ref: Decodable {
                var id: String
                var type: String?
            }
            var ref: Ref
            var fromHash: String?
            var toHash: String
            /// ADD, UPDATE, DELETE.
            var type: String?
        }
        struct Commit: Decodable {
            struct Author: Decodable {
                var name: String?
                var displayName: String?
            }
            var id: String
            var message: String?
            var author: Author?
        }
        var changes: [Change]
        var refLimitExceeded: Bool?
        /// Since 8.x.
        var toCommit: Commit?
        var commits: [Commit]?
        var repository: Repository?

        func told(_ change: Change) -> Webhook.Change {
            let isTag = RefName.isTag(change.ref.id)
            let isDeletion = change.type == "DELETE" || change.toHash.allSatisfy { $0 == "0" }
            let tips = (toCommit.map { [$0] } ?? []) + (commits ?? [])
            var commit = tips.first { $0.id == change.toHash }
            // A tag's hash may be that of the tag object; the commit that is told beside a single tag is the tag's.
            if isTag, changes.count == 1, !isDeletion { commit = commit ?? toCommit }
            return Webhook.Change(
                ref: change.ref.id, commit: isTag ? commit?.id : change.toHash, before: isTag ? nil : change.fromHash,
                isDeletion: isDeletion, message: commit?.message,
                author: commit?.author?.displayName ?? commit?.author?.name)
        }
    }

    private struct Repository: Decodable {
        struct Links: Decodable {
            struct Link: Decodable {
                var href: String
            }
            var clone: [Link]?
            var `self`: [Link]?
        }
        struct Project: Decodable {
            var key: String
            var links: Links?
        }
        var slug: String?
        var project: Project?
        var links: Links?

        /// As told; before 6.x only pages are, or nothing.
        var addresses: [String] {
            if let clone = links?.clone, !clone.isEmpty {
                // The http one may begin with the name of the user who made the webhook.
                return clone.map { WebAddress($0.href)?.text ?? $0.href }
            }
            guard let page = links?.`self`?.first ?? project?.links?.`self`?.first, let web = WebAddress(page.href),
                // What stands before it is the path that Bitbucket is served under.
                let end = web.path.firstRange(of: "/projects/") ?? web.path.firstRange(of: "/users/"),
                let key = project?.key, let slug
            else { return [] }
            let base = "\(web.scheme)://\(web.host)\(web.path[..<end.lowerBound])"
            return ["\(base)/scm/\(key.lowercased())/\(slug).git"]
        }
    }
}
