import Foundation
import Model
import Queue

extension Receiver {
    /// The same again on an image that moved: of the same repository, ref and commit, by the rule of that number as the
    /// settings have it now.
    ///
    /// Nothing is built where that rule is another image's, no longer matches the ref, or does not follow its base; where
    /// a build was made for this move already, nothing of it is kept.
    ///
    /// - Parameter detail: what moved; the same for the same move.
    /// - Returns: the new build; nil where there is none.
    /// - Throws: `QueueFull`, `StoreError` or `IntakeError.sourceSilent` where it could not be kept.
    package func rebuild(_ build: Build, because detail: String, at date: Date) async throws -> Build? {
        guard let repository = settings[build.repository], repository.image == build.image, let commit = build.commit,
            let rule = repository.rules.first(where: { $0.number == build.rule.number }), rule.followsBase
        else { return nil }
        var push = Push(ref: build.ref, commit: commit, message: build.message, author: build.author)
        if rule.source == .defaultBranch { try await complete(&push, of: repository, asked: false) }
        var matching = Matching()
        // Words that skip a push are about what was pushed, and this was built.
        matching.add(push, of: repository, asked: false, forced: true, only: [rule.number], acceptedAt: date)
        guard !matching.builds.isEmpty else { return nil }
        let request = Inbound(headers: [], body: Data(), remoteAddress: "", receivedAt: date)
        var delivery = newDelivery(repository.name, .base, request)
        delivery.detail = detail
        return try await keep(delivery, matching, accepted: true).builds.first
    }
}
