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

    private let settings: Settings
    private let store: any Store
    private let defaultBranch: DefaultBranch

    package init(settings: Settings, store: any Store, defaultBranch: @escaping DefaultBranch) {
        self.settings = settings
        self.store = store
        self.defaultBranch = defaultBranch
    }

    /// A Git host's webhook.
    ///
    /// - Throws: `IntakeError`; `StoreError` where it could not be kept, and then nothing of it was.
    package func webhook(_ name: RepositoryName, _ inbound: Inbound) async throws -> Answer {
        let repository = try repository(name)
        guard let host = GitHosts.all.first(where: { $0.sent(inbound) }) else {
            throw IntakeError.unreadable("no header tells which Git host sent this, such as X-GitHub-Event")
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

    /// A build trigger, whose token tells the repository.
    package func trigger(token: String, _ inbound: Inbound) async throws -> Answer {
        let hash = TriggerToken.hash(token)
        let repository = settings.repositories.first { $0.triggerTokens.contains { $0.hash == hash } }
        guard let repository else {
            throw IntakeError.unknown("no repository has this trigger token; look at trigger_tokens in the settings")
        }
        return try await start(repository, try Trigger.read(inbound.body), .trigger, inbound)
    }

    /// A build asked for by name, through the API.
    package func start(_ name: RepositoryName, _ inbound: Inbound) async throws -> Answer {
        try await start(repository(name), try Trigger.read(inbound.body), .api, inbound)
    }

    private func start(
        _ repository: Repository, _ trigger: Trigger, _ kind: Cause.Kind, _ inbound: Inbound
    ) async throws -> Answer {
        var matching = Matching()
        switch trigger {
        case .ref(let ref, let commit):
            var push = Push(ref: ref, commit: commit)
            try await complete(&push, of: repository, asked: true)
            matching.add(push, of: repository, asked: true, acceptedAt: inbound.receivedAt)
        case .commit(let commit):
            let branch = try await askDefaultBranch(repository)
            let push = Push(ref: try RefName(.branch, branch), commit: commit, defaultBranch: branch)
            matching.add(push, of: repository, asked: true, acceptedAt: inbound.receivedAt)
        case .all:
            for rule in repository.rules { try await add(rule, of: repository, to: &matching, inbound) }
        case .imageTag(let tag):
            for rule in repository.rules {
                guard rule.tags.contains(where: { $0.text == tag }) else {
                    matching.ignored.append(
                        Ignored(rule: rule.number, reason: "it does not make the tag \"\(tag.excerpt())\""))
                    continue
                }
                try await add(rule, of: repository, to: &matching, inbound)
            }
        }
        return try await keep(newDelivery(repository.name, kind, inbound), matching, accepted: true)
    }

    /// Builds the one ref that a rule names; an expression names none.
    private func add(
        _ rule: Rule, of repository: Repository, to matching: inout Matching, _ inbound: Inbound
    ) async throws {
        let push: Push
        switch rule.source {
        case .branch(let pattern) where !pattern.isExpression: push = Push(ref: try RefName(.branch, pattern.text))
        case .tag(let pattern) where !pattern.isExpression: push = Push(ref: try RefName(.tag, pattern.text))
        case .defaultBranch:
            let branch = try await askDefaultBranch(repository)
            push = Push(ref: try RefName(.branch, branch), defaultBranch: branch)
        case .branch(let pattern), .tag(let pattern):
            let reason = "\(pattern) names no single branch or tag; ask with source_type and source_name"
            matching.ignored.append(Ignored(rule: rule.number, reason: reason))
            return
        }
        matching.add(push, of: repository, asked: true, only: [rule.number], acceptedAt: inbound.receivedAt)
    }

    /// Finds out the default branch where a rule needs it and the sender did not tell.
    private func complete(_ push: inout Push, of repository: Repository, asked: Bool) async throws {
        guard push.defaultBranch == nil, push.ref.kind == .branch else { return }
        guard repository.rules.contains(where: { $0.source == .defaultBranch && (asked || $0.autobuild) }) else {
            return
        }
        push.defaultBranch = try await askDefaultBranch(repository)
    }

    private func askDefaultBranch(_ repository: Repository) async throws -> String {
        do {
            return try await defaultBranch(repository)
        } catch {
            throw IntakeError.sourceSilent("the default branch of \(repository.name) could not be asked for: \(error)")
        }
    }

    private func repository(_ name: RepositoryName) throws -> Repository {
        guard let repository = settings[name] else {
            // Names are shown only where nobody from outside can ask for them.
            let known = settings.access.isEmpty ? settings.repositories.map(\.name.text) : []
            let hint = Nearest.word(to: name.text, in: known).map { "; nearest is \($0)" } ?? ""
            throw IntakeError.unknown("there is no repository \(name) in the settings\(hint)")
        }
        return repository
    }

    private func newDelivery(_ name: RepositoryName, _ kind: Cause.Kind, _ inbound: Inbound) -> NewDelivery {
        NewDelivery(
            repository: name, kind: kind, remoteAddress: inbound.remoteAddress, headers: inbound.headers,
            body: inbound.body, receivedAt: inbound.receivedAt)
    }

    /// Commit, then answer.
    private func keep(_ delivery: NewDelivery, _ matching: Matching, accepted: Bool) async throws -> Answer {
        var delivery = delivery
        delivery.builds = matching.builds
        delivery.ignored = matching.ignored
        let kept = try await store.accept(delivery)
        return Answer(delivery: kept.delivery, builds: kept.builds, ignored: kept.ignored, accepted: accepted)
    }
}
