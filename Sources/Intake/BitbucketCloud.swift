import Foundation
import Model

/// Bitbucket Cloud's webhooks (support.atlassian.com, "Event payloads").
struct BitbucketCloud: GitHost {
    let name = "bitbucket-cloud"

    /// Bitbucket Server has the same header of the event, but no id of the webhook.
    func sent(_ inbound: Inbound) -> Bool {
        guard let event = inbound.header("X-Event-Key") else { return false }
        return event == "repo:push" || inbound.header("X-Hook-UUID") != nil
            || inbound.header("User-Agent")?.hasPrefix("Bitbucket-Webhooks/") == true
    }

    func delivery(_ inbound: Inbound) -> String? { inbound.header("X-Request-UUID") }

    /// SHA-256, in the header that GitHub has for SHA-1.
    func verify(_ inbound: Inbound, _ trust: Trust) throws {
        try Signature.check(
            inbound.header("X-Hub-Signature"), in: "X-Hub-Signature", prefix: "sha256=", of: inbound.body, trust)
    }

    func read(_ inbound: Inbound) throws -> Webhook {
        let event = inbound.header("X-Event-Key") ?? ""
        guard event == "repo:push" else {
            return Webhook(event: event, reasons: ["event \"\(event.excerpt())\" builds nothing; only pushes do"])
        }
        let payload: Payload
        do {
            payload = try JSONDecoder().decode(Payload.self, from: inbound.body)
        } catch {
            throw IntakeError.unreadable(Unreadable.sentence(inbound.body, error, wanted: "Bitbucket's push payload"))
        }
        var webhook = Webhook(event: event, addresses: payload.repository?.addresses ?? [])
        if payload.push.changes.isEmpty { webhook.reasons = ["the push changed no branch and no tag"] }
        for change in payload.push.changes { try webhook.add(change) }
        return webhook
    }

    fileprivate struct Payload: Decodable {
        struct Repository: Decodable {
            struct Links: Decodable {
                struct Link: Decodable {
                    var href: String?
                }
                var html: Link?
            }
            var full_name: String?
            var links: Links?

            /// The payload has no address to clone from; these are what Bitbucket's page shows.
            var addresses: [String] {
                let page = links?.html?.href.map { ["\($0).git"] } ?? []
                let named = full_name.map { name in
                    ["https://", "ssh://git@", "git@"].map {
                        "\($0)bitbucket.org\($0 == "git@" ? ":" : "/")\(name).git"
                    }
                }
                return (named ?? []).reduce(into: page) { if !$0.contains($1) { $0.append($1) } }
            }
        }
        struct Push: Decodable {
            var changes: [Change]
        }
        struct Change: Decodable {
            /// Nil where the ref was deleted.
            var new: Ref?
            /// Nil where the ref is new.
            var old: Ref?
        }
        struct Ref: Decodable {
            var type: String
            var name: String
            var target: Target

            /// Nil where the type is no branch and no tag.
            var path: String? {
                switch type {
                case "branch", "named_branch": "refs/heads/\(name)"
                case "tag", "annotated_tag": "refs/tags/\(name)"
                default: nil
                }
            }
        }
        /// Always a commit, for annotated tags too.
        struct Target: Decodable {
            struct Author: Decodable {
                var raw: String?
            }
            var hash: String
            var message: String?
            var author: Author?
        }
        var push: Push
        var repository: Repository?
    }
}

extension Webhook {
    fileprivate mutating func add(_ change: BitbucketCloud.Payload.Change) throws(IntakeError) {
        guard let told = change.new ?? change.old else {
            return reasons.append("a change tells neither what is new nor what was before")
        }
        guard let ref = told.path else {
            return reasons.append(
                "\"\(told.name.excerpt())\" is of the type \"\(told.type.excerpt())\", neither branch nor tag")
        }
        // "Name <mail>": the name.
        let author = told.target.author?.raw?.prefix { $0 != "<" }.trimmingCharacters(in: .whitespaces)
        try add(
            Change(
                ref: ref, commit: told.target.hash, before: change.old?.target.hash, isDeletion: change.new == nil,
                message: told.target.message, author: author?.isEmpty == false ? author : nil))
    }
}
