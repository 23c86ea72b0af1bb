import Foundation

/// One rule applied to one push.
package struct Build: Sendable, Equatable, Identifiable {
    /// Numbers grow in the order in which pushes were accepted.
    package typealias ID = Int64

    package enum State: String, Sendable, Codable, CaseIterable {
        case pending, building, pushing, finished, failed, cancelled, superseded

        package var isEnd: Bool {
            switch self {
            case .pending, .building, .pushing: false
            case .finished, .failed, .cancelled, .superseded: true
            }
        }
    }

    package var id: ID
    package var repository: RepositoryName
    package var state: State
    package var ref: RefName
    /// Nil until the checkout has found it, where the push told only the ref.
    package var commit: CommitID?
    package var message: String?
    package var author: String?
    package var rule: Rule
    /// What the rule's expression matched in the ref's name, and its groups.
    package var captures: [String]
    package var image: ImageName
    /// Nil until the commit is known.
    package var commitTag: Tag?
    /// Of the manifest in the registry, once it was pushed.
    package var digest: Digest?
    /// In the order of the rule; empty until the commit is known.
    package var tags: [BuildTag]
    package var cause: Cause
    /// The number of the latest attempt, 0 before the first: the fencing token of every change by a worker.
    package var attempt: Int
    /// The build whose image was taken, where nothing had to be built.
    package var reused: ID?
    /// Why it failed; of one that is pending again, why its last attempt did.
    package var failure: Failure?
    /// How many attempts count against the build: not those that a shutdown gave back.
    package var tries: Int
    /// Of one that is pending again after a failure: not before.
    package var retryAt: Date?
    /// What the engine calls the image that an attempt built: one that only failed to push needs no other.
    package var built: String?
    /// The end that somebody asked for while it runs: `cancelled` or `superseded`.
    package var stop: State?
    /// The build of the newer push that took its place.
    package var successor: ID?
    /// Why it ended without an image though nothing failed, in words.
    package var reason: String?
    /// Nil until the checkout has looked.
    package var inputs: BuildInputs?
    /// Why the image of another build was taken, or not, in words; nil until that is decided.
    package var reuse: String?
    /// Whether somebody asked for a build without the image of another and without the engine's cache.
    package var isFresh: Bool
    package var createdAt: Date
    package var startedAt: Date?
    package var pushingAt: Date?
    package var finishedAt: Date?

    package init(
        id: ID, repository: RepositoryName, state: State, ref: RefName, commit: CommitID? = nil,
        message: String? = nil, author: String? = nil, rule: Rule, captures: [String], image: ImageName,
        commitTag: Tag? = nil, digest: Digest? = nil, tags: [BuildTag] = [], cause: Cause, attempt: Int = 0,
        reused: ID? = nil, failure: Failure? = nil, tries: Int = 0, retryAt: Date? = nil, built: String? = nil,
        stop: State? = nil, successor: ID? = nil, reason: String? = nil, inputs: BuildInputs? = nil,
        reuse: String? = nil, isFresh: Bool = false, createdAt: Date, startedAt: Date? = nil, pushingAt: Date? = nil,
        finishedAt: Date? = nil
    ) {
        self.id = id
        self.repository = repository
        self.state = state
        self.ref = ref
        self.commit = commit
        self.message = message
        self.author = author
        self.rule = rule
        self.captures = captures
        self.image = image
        self.commitTag = commitTag
        self.digest = digest
        self.tags = tags
        self.cause = cause
        self.attempt = attempt
        self.reused = reused
        self.failure = failure
        self.tries = tries
        self.retryAt = retryAt
        self.built = built
        self.stop = stop
        self.successor = successor
        self.reason = reason
        self.inputs = inputs
        self.reuse = reuse
        self.isFresh = isFresh
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.pushingAt = pushingAt
        self.finishedAt = finishedAt
    }
}

/// One of the movable names that a build's image is to get.
package struct BuildTag: Sendable, Codable, Equatable {
    package var name: Tag
    /// Whether the name points, or pointed, at this build's image.
    package var moved: Bool
    /// Why it was not moved, where that is decided.
    package var reason: String?

    package init(name: Tag, moved: Bool = false, reason: String? = nil) {
        self.name = name
        self.moved = moved
        self.reason = reason
    }
}
