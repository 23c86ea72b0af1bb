import Foundation
import Model

/// Events in GitHub's words and shapes, which Gitea, Forgejo and Gogs took over.
enum GitHubEvent {
    /// - Parameters:
    ///   - event: the event's name, as the sender's header says.
    ///   - sender: as sentences call it: `Gitea`.
    ///   - tagged: the commit of a tag, where the body tells it.
    static func read(
        _ event: String, from sender: String, _ inbound: Inbound, tagged: (PushBody) -> String?
    ) throws(IntakeError) -> Webhook {
        let json = try inbound.json()
        var webhook = Webhook(event: event)
        if event == "push" {
            let push = try Unreadable.decoded(json, as: PushEvent.self, wanted: "\(sender)'s push event")
            webhook.addresses = push.repository?.addresses ?? []
            try webhook.add(push.body, tagged: tagged(push.body), defaultBranch: push.repository?.defaultBranch)
            return webhook
        }
        let other = try Unreadable.decoded(json, as: OtherEvent.self, wanted: "\(sender)'s event")
        webhook.addresses = other.repository?.addresses ?? []
        let reason =
            switch event {
            case "ping": "ping: the webhook is set up"
            case "create": "event \"create\": the push event tells of it; the webhook must be subscribed to push events"
            case "delete":
                "event \"delete\": a branch or tag was deleted, its images stay; "
                    + "the webhook must be subscribed to push events"
            default: "event \"\(event.excerpt())\" builds nothing; only pushes do"
            }
        webhook.reasons = [reason]
        return webhook
    }

    private struct PushEvent: Decodable {
        var body: PushBody
        var repository: Repository?

        private enum Key: String, CodingKey { case repository }

        init(from decoder: any Decoder) throws {
            body = try PushBody(from: decoder)
            repository = try decoder.container(keyedBy: Key.self).decodeIfPresent(Repository.self, forKey: .repository)
        }
    }

    private struct OtherEvent: Decodable {
        var repository: Repository?

        private enum Key: String, CodingKey { case repository }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            // An event that builds nothing may have any shape.
            repository = try? fields.decodeIfPresent(Repository.self, forKey: .repository)
        }
    }

    private struct Repository: Decodable {
        var clone_url: String?
        var ssh_url: String?
        var git_url: String?
        var svn_url: String?
        var url: String?
        var default_branch: String?
        /// GitHub's name for the default branch until 2013.
        var master_branch: String?

        var addresses: [String] {
            let told = [clone_url, ssh_url, git_url, svn_url].compactMap(\.filled)
            // Before there were others, this was where to clone from; now it may be that of the host's API.
            return told.isEmpty ? [url].compactMap(\.filled) : told
        }

        var defaultBranch: String? { default_branch.filled ?? master_branch }
    }
}
