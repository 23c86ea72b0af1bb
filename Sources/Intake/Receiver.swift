import Foundation
import Model
import Platform
import Queue
import Settings

/// Takes what others tell of pushes: checks it, matches the rules, and keeps it before it answers.
package struct Receiver: Sendable {
    /// What the sender is told.
    package struct Answer: Sendable {
        package var delivery: String
        package var builds: [Build]
        package var ignored: [Ignored]
        /// Whether it was a push or a trigger, and not a ping or the like.
        package var accepted: Bool
    }

    /// Asks a repository's source for the name of its default branch.
    package typealias DefaultBranch = @Sendable (Repository) async throws -> String

    let settings: Settings
    let store: any Store
    let defaultBranch: DefaultBranch
    let tokens: [Data: TokenHolder]

    package init(settings: Settings, store: any Store, defaultBranch: @escaping DefaultBranch) {
        self.settings = settings
        self.store = store
        self.defaultBranch = defaultBranch
        tokens = TokenHolder.all(settings)
    }

    /// A Git host's webhook.
    ///
    /// - Throws: `IntakeError`; `StoreError` where it could not be kept, and then nothing of it was.
    package func webhook(_ name: RepositoryName, _ inbound: Inbound) async throws -> Answer {
        let repository = try repository(name)
        guard let host = GitHosts.all.first(where: { $0.sent(inbound) }) else {
            throw IntakeError.unauthenticated(
                "no header tells which Git host sent this and proves it, such as X-GitHub-Event and X-Hub-Signature-256"
            )
        }
        try await host.verify(inbound, Trust(owner: name.text, secrets: repository.webhookSecrets, topics: []))
        let webhook = try await host.read(inbound)
        var delivery = newDelivery(name, .webhook, inbound)
        delivery.host = host.name
        delivery.event = webhook.event
        delivery.senderID = host.delivery(inbound)
        var matching = Matching()
        matching.ignored = webhook.reasons.map { Ignored(rule: nil, reason: $0) }
        for push in webhook.pushes {
            var push = push
            try await complete(&push, of: repository, asked: false)
            matching.add(push, of: repository, asked: false, acceptedAt: inbound.receivedAt)
        }
        return try await keep(delivery, matching, accepted: !webhook.pushes.isEmpty)
    }

    /// Finds out the default branch where a rule needs it and the sender did not tell.
    func complete(_ push: inout Push, of repository: Repository, asked: Bool) async throws {
        guard push.defaultBranch == nil, push.ref.kind == .branch else { return }
        guard repository.rules.contains(where: { $0.source == .defaultBranch && (asked || $0.autobuild) }) else {
            return
        }
        push.defaultBranch = try await askDefaultBranch(repository)
    }

    func askDefaultBranch(_ repository: Repository) async throws -> String {
        do {
            return try await defaultBranch(repository)
        } catch {
            throw IntakeError.sourceSilent("the default branch of \(repository.name) could not be asked for: \(error)")
        }
    }

    func repository(_ name: RepositoryName) throws -> Repository {
        guard let repository = settings[name] else {
            // Names are shown only where nobody from outside can ask for them.
            let known = settings.access.isEmpty ? settings.repositories.map(\.name.text) : []
            let hint = Nearest.word(to: name.text, in: known).map { "; nearest is \($0)" } ?? ""
            throw IntakeError.unknown("there is no repository \(name) in the settings\(hint)")
        }
        return repository
    }

    func newDelivery(_ name: RepositoryName, _ kind: Cause.Kind, _ inbound: Inbound) -> NewDelivery {
        NewDelivery(
            repository: name, kind: kind, remoteAddress: inbound.remoteAddress, headers: inbound.headers,
            body: inbound.body, receivedAt: inbound.receivedAt)
    }

    /// Commit, then answer.
    func keep(_ delivery: NewDelivery, _ matching: Matching, accepted: Bool) async throws -> Answer {
        var delivery = delivery
        delivery.builds = matching.builds
        delivery.ignored = matching.ignored
        let kept = try await store.accept(delivery)
        return Answer(delivery: kept.delivery, builds: kept.builds, ignored: kept.ignored, accepted: accepted)
    }
}
