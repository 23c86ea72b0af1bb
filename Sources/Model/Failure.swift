/// Why a build failed, and whose it is.
package struct Failure: Error, Sendable, Codable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// The repository's: Dockerfile, missing path, test. Trying again would fail again.
        case build
        /// Ours: network, registry, engine, disk, lost worker. Trying again may help.
        case system
        /// It took longer than its rule's timeout.
        case timeout
    }

    package enum Stage: String, Sendable, Codable, CaseIterable {
        case checkout, build, push, tag
    }

    package var kind: Kind
    package var stage: Stage
    /// What was tried, on what, and what to do about it; the last lines of the output for a Dockerfile's fault.
    package var message: String
    /// How long whoever failed us wants to be left alone, at least.
    package var retryAfter: Duration?

    package init(_ kind: Kind, _ stage: Stage, _ message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.stage = stage
        self.message = message
        self.retryAfter = retryAfter
    }

    package var description: String { message }
}
