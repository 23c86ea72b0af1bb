import Foundation
import Model

/// A push event's body as GitHub shaped it, and GitLab, Gitea, Forgejo and Gogs after it: one branch or tag that moved.
struct PushBody: Decodable {
    struct Commit: Decodable {
        struct Author: Decodable {
            var name: String?
            var username: String?
        }
        var id: String
        var message: String?
        var author: Author?
    }

    var ref: String
    /// Zeros where the ref is new.
    var before: String?
    /// Zeros where the ref is gone; of a tag it may be the tag object.
    var after: String
    /// GitHub alone tells it.
    var deleted: Bool
    /// The commit that the ref now leads to; GitHub, Gitea from 1.15 on and Forgejo tell it.
    var head: Commit?
    /// Some of what was pushed, in any order; empty where `head` tells enough.
    var commits: [Commit]

    private enum Key: String, CodingKey {
        case ref, before, after, deleted, commits
        case head = "head_commit"
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        ref = try fields.decode(String.self, forKey: .ref)
        before = try fields.decodeIfPresent(String.self, forKey: .before)
        after = try fields.decode(String.self, forKey: .after)
        deleted = try fields.decodeIfPresent(Bool.self, forKey: .deleted) ?? false
        head = try fields.decodeIfPresent(Commit.self, forKey: .head)
        // GitHub lists up to 2,048 of them.
        commits = head == nil ? try fields.decodeIfPresent([Commit].self, forKey: .commits) ?? [] : []
    }
}

extension Webhook {
    /// Adds the push, or the reason why it builds nothing.
    ///
    /// - Parameter tagged: the commit of a tag, where the host tells it.
    /// - Throws: `IntakeError.unreadable` where what should be a commit's id is none.
    mutating func add(_ body: PushBody, tagged: String?, defaultBranch: String?) throws(IntakeError) {
        // So Gitea, Forgejo, Gogs and, for a repository of one commit, GitLab try a webhook out.
        guard body.before != body.after else {
            reasons.append(
                "\"\(body.ref.excerpt())\" did not move, before and after are the same: a test of the webhook")
            return
        }
        let after: CommitID
        do {
            after = try CommitID(body.after)
        } catch {
            throw .unreadable("the push can't be read: \"after\": \(error)")
        }
        let commit = RefName.isTag(body.ref) ? tagged.filled : after.text
        let tip = ([body.head].compactMap(\.self) + body.commits).first { $0.id == commit }
        try add(
            Change(
                ref: body.ref, commit: commit, before: body.before, isDeletion: body.deleted || after.isZero,
                message: tip?.message.filled, author: tip?.author?.name.filled ?? tip?.author?.username.filled,
                defaultBranch: defaultBranch.filled))
    }
}
