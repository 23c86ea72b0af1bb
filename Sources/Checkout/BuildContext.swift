import Foundation
import Model

/// What an engine would see of a commit, read from the mirror without a checkout.
package enum BuildContext: Sendable, Equatable {
    case known(Known)
    /// Why it can't be known, in words.
    case doubtful(String)

    package struct Known: Sendable, Equatable {
        package var dockerfile: Data
        /// Over path, mode and object id of each entry of the context that the engine would see.
        package var digest: Digest
    }
}

extension Mirror {
    /// What the engine would see of a commit for a rule.
    ///
    /// - Throws: `CheckoutError.badPath` with the same sentence as a checkout would; else as `fetch(_:commit:)`.
    package func context(of commit: CommitID, for rule: Rule, engine: BuilderKind) async throws -> BuildContext {
        .doubtful("not read yet")
    }
}
