import Model
import Platform
import Queue

/// A tag that Slipway moved, as the API shows it with its repository.
package struct TagStateJSON: Codable, Sendable {
    package var name: Tag
    /// The build that it points at.
    package var build: Build.ID
    package var commit: CommitID
    package var digest: Digest
    /// What the registry has there instead, as the sweep saw it.
    package var moved_elsewhere: Elsewhere?

    package struct Elsewhere: Codable, Sendable {
        /// Nil where the tag is gone.
        package var digest: Digest?
        package var since: String

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(digest, forKey: .digest)
            try container.encode(since, forKey: .since)
        }
    }

    package init(_ tag: TagPlace) {
        name = tag.name
        build = tag.holder.build
        commit = tag.holder.commit
        digest = tag.holder.digest
        moved_elsewhere = tag.found.map { Elsewhere(digest: $0.digest, since: Timestamp.text($0.since)) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(build, forKey: .build)
        try container.encode(commit, forKey: .commit)
        try container.encode(digest, forKey: .digest)
        try container.encode(moved_elsewhere, forKey: .moved_elsewhere)
    }
}
