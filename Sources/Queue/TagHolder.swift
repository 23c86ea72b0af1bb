import Model

/// Where a tag points, as far as Slipway moved it.
package struct TagHolder: Sendable, Equatable {
    package var build: Build.ID
    package var commit: CommitID
    package var digest: Digest

    package init(build: Build.ID, commit: CommitID, digest: Digest) {
        self.build = build
        self.commit = commit
        self.digest = digest
    }
}

package enum MoveRight: Sendable, Equatable {
    /// The tag is this attempt's to move; `holder` is the build that it points at now.
    case granted(holder: TagHolder?)
    /// Another build is moving it, or the sweep puts it right: ask again when that build changes, or after a moment.
    case busy(Build.ID)
}
