import Foundation
import Model
import Settings

/// What a rule would make of a push, by the same steps that a push goes through.
package struct DryRun: Sendable {
    package let rule: Rule
    /// Why it would build nothing; nil where it would build.
    package let reason: String?
    /// The names that come out; nil where the commit isn't known or nothing would be built.
    package let names: Rule.Names?

    /// Every rule of the repository, in order.
    ///
    /// - Parameter asked: as if by a trigger, which rules without `autobuild` obey too.
    package static func of(
        _ push: Push, in repository: Repository, asked: Bool = false, acceptedAt: Date
    ) -> [DryRun] {
        repository.rules.map { rule in
            var matching = Matching()
            matching.add(push, of: repository, asked: asked, only: [rule.number], acceptedAt: acceptedAt)
            return DryRun(
                rule: rule, reason: matching.ignored.first?.reason, names: matching.builds.first?.names)
        }
    }
}
