import Foundation
import Model

/// No build is claimed meanwhile.
package struct Pause: Sendable, Equatable {
    package var since: Date
    /// The name of the token of who asked for it.
    package var by: String?
    package var reason: String?

    package init(since: Date, by: String? = nil, reason: String? = nil) {
        self.since = since
        self.by = by
        self.reason = reason
    }
}

/// A tag that Slipway moved, and what is known of it.
package struct TagPlace: Sendable, Equatable {
    package var image: ImageName
    package var name: Tag
    package var repository: RepositoryName
    package var holder: TagHolder
    /// What somebody else put there, as last seen.
    package var found: FoundTag?

    package init(image: ImageName, name: Tag, repository: RepositoryName, holder: TagHolder, found: FoundTag? = nil) {
        self.image = image
        self.name = name
        self.repository = repository
        self.holder = holder
        self.found = found
    }
}

/// What a registry has under a tag instead of what Slipway put there.
package struct FoundTag: Sendable, Equatable {
    /// Nil where the tag is gone.
    package var digest: Digest?
    /// When it was first seen so.
    package var since: Date

    package init(digest: Digest?, since: Date) {
        self.digest = digest
        self.since = since
    }
}

package struct Pruned: Sendable, Equatable {
    package var builds: Int
    package var logs: Int
    package var deliveries: Int

    package init(builds: Int = 0, logs: Int = 0, deliveries: Int = 0) {
        self.builds = builds
        self.logs = logs
        self.deliveries = deliveries
    }

    package var isNothing: Bool { self == Pruned() }
}

/// An image that builds stand on which tags point at.
package struct BaseInUse: Sendable, Equatable {
    package var image: ImageName
    package var tag: Tag
    /// The builds that were made of it, and the digest that each found there; by number.
    package var users: [User]

    package struct User: Sendable, Equatable {
        package var build: Build.ID
        package var digest: Digest

        package init(build: Build.ID, digest: Digest) {
            self.build = build
            self.digest = digest
        }
    }

    package init(image: ImageName, tag: Tag, users: [User]) {
        self.image = image
        self.tag = tag
        self.users = users
    }

    package var reference: ImageReference { ImageReference(image: image, tag: tag) }
}
