/// A branch or tag of a repository now points at a commit.
package struct Push: Sendable, Equatable {
    package var ref: RefName
    /// Nil where only the ref was told (a trigger): the checkout finds the commit.
    package var commit: CommitID?
    /// Where the ref pointed before; nil where it is new or the sender doesn't tell.
    package var before: CommitID?
    /// The commit's message; its first line is what tables show.
    package var message: String?
    /// The commit's author, as a name for people.
    package var author: String?
    /// The name of the repository's default branch, where the sender tells it.
    package var defaultBranch: String?

    package init(
        ref: RefName, commit: CommitID? = nil, before: CommitID? = nil, message: String? = nil, author: String? = nil,
        defaultBranch: String? = nil
    ) {
        self.ref = ref
        self.commit = commit
        self.before = before
        self.message = message
        self.author = author
        self.defaultBranch = defaultBranch
    }
}

/// Who told us of a push.
package struct Cause: Sendable, Codable, Equatable {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case webhook, trigger, api, poll, retry
        /// An image that it is built on moved.
        case base
    }

    package var kind: Kind
    /// The kind of Git host whose webhook it was: `github`.
    package var host: String?
    /// The number of the delivery that told it.
    package var delivery: String?
    /// What happened, where that is more than a push: `base image debian:bookworm moved from sha256:… to sha256:…`.
    package var detail: String?

    package init(_ kind: Kind, host: String? = nil, delivery: String? = nil, detail: String? = nil) {
        self.kind = kind
        self.host = host
        self.delivery = delivery
        self.detail = detail
    }
}
