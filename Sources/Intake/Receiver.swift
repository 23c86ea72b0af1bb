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

    /// Gets what is at an address of Amazon's.
    package typealias AskAmazon = @Sendable (URL) async throws -> (status: Int, body: Data)

    let live: LiveSettings
    let store: any Store
    let defaultBranch: DefaultBranch
    let hosts: [any GitHost]

    var settings: Settings { live.now }

    package init(settings: LiveSettings, store: any Store, defaultBranch: @escaping DefaultBranch) {
        self.init(settings: settings, store: store, hosts: GitHosts.all, defaultBranch: defaultBranch)
    }

    /// - Parameter amazon: asks Amazon's addresses, for whoever has no way there.
    package init(
        settings: LiveSettings, store: any Store, askingAmazon amazon: @escaping AskAmazon,
        defaultBranch: @escaping DefaultBranch
    ) {
        let hosts = GitHosts.all(askingAmazon: amazon)
        self.init(settings: settings, store: store, hosts: hosts, defaultBranch: defaultBranch)
    }

    private init(
        settings: LiveSettings, store: any Store, hosts: [any GitHost], defaultBranch: @escaping DefaultBranch
    ) {
        live = settings
        self.store = store
        self.hosts = hosts
        self.defaultBranch = defaultBranch
    }

    /// A Git host's webhook for one repository.
    ///
    /// - Throws: `IntakeError`; `QueueFull` or `StoreError` where it could not be kept, and then nothing of it was.
    package func webhook(_ name: RepositoryName, _ inbound: Inbound) async throws -> Answer {
        let repository = try repository(name)
        let host = try host(of: inbound)
        if repository.verifiesWebhooks {
            let trust = Trust(owner: name.text, secrets: repository.webhookSecrets, topics: repository.snsTopics)
            try await host.verify(inbound, trust)
        }
        return try await take(inbound, from: host) { _ in [repository] }
    }

    /// A webhook of a whole Git host or organisation, whose body tells the repository: each that is cloned from there.
    ///
    /// - Throws: as `webhook(_:_:)`.
    package func webhook(_ inbound: Inbound) async throws -> Answer {
        let host = try host(of: inbound)
        let settings = settings
        let trust = Trust(
            owner: "the top level of the settings", secrets: settings.webhookSecrets, topics: settings.snsTopics)
        try await host.verify(inbound, trust)
        return try await take(inbound, from: host) { webhook in
            CloneAddress.places(of: webhook.addresses, in: settings.repositories, source: \.source)
        }
    }

    private func host(of inbound: Inbound) throws -> any GitHost {
        guard let host = hosts.first(where: { $0.sent(inbound) }) else {
            throw IntakeError.unauthenticated(
                "no header tells which Git host sent this and proves it, such as X-GitHub-Event and X-Hub-Signature-256"
            )
        }
        return host
    }

    /// Reads a webhook that is proved, and keeps it, also where it can't be read.
    private func take(
        _ inbound: Inbound, from host: any GitHost, for repositories: (Webhook) -> [Repository]
    ) async throws -> Answer {
        var delivery = newDelivery(nil, .webhook, inbound)
        delivery.host = host.name
        delivery.senderID = host.delivery(inbound)
        do {
            let webhook = try await host.read(inbound)
            delivery.event = webhook.event
            let deliveries = try await self.deliveries(
                of: webhook, as: delivery, for: repositories(webhook), inbound.receivedAt)
            return try await keep(deliveries, accepted: !webhook.pushes.isEmpty)
        } catch let error as IntakeError {
            guard case .unreadable(let sentence) = error else { throw error }
            delivery.repository = repositories(Webhook(event: "")).first?.name
            delivery.ignored = [Ignored(rule: nil, reason: sentence)]
            _ = try await keep([delivery], accepted: false)
            throw error
        }
    }

    /// What a webhook makes of each repository that it is for.
    func deliveries(
        of webhook: Webhook, as delivery: NewDelivery, for repositories: [Repository], _ acceptedAt: Date
    ) async throws -> [NewDelivery] {
        let reasons = webhook.reasons.map { Ignored(rule: nil, reason: $0) }
        guard !repositories.isEmpty else {
            var delivery = delivery
            delivery.ignored = reasons
            if !webhook.pushes.isEmpty {
                let addresses = webhook.addresses.joined(separator: ", ").excerpt(300)
                let reason = "no repository of the settings has one of these as its source: \(addresses)"
                delivery.ignored.append(Ignored(rule: nil, reason: reason))
            }
            return [delivery]
        }
        var deliveries: [NewDelivery] = []
        for repository in repositories {
            var matching = Matching(ignored: reasons)
            for push in webhook.pushes {
                var push = push
                try await complete(&push, of: repository, asked: false)
                matching.add(push, of: repository, asked: false, forced: delivery.force, acceptedAt: acceptedAt)
            }
            var delivery = delivery
            delivery.repository = repository.name
            delivery.builds = matching.builds
            delivery.ignored = matching.ignored
            deliveries.append(delivery)
        }
        return deliveries
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
        let settings = settings
        guard let repository = settings[name] else {
            // Names are shown only where nobody from outside can ask for them.
            let known = settings.access.isEmpty ? settings.repositories.map(\.name.text) : []
            let hint = Nearest.word(to: name.text, in: known).map { "; nearest is \($0)" } ?? ""
            throw IntakeError.unknown("there is no repository \(name) in the settings\(hint)")
        }
        return repository
    }

    func newDelivery(_ name: RepositoryName?, _ kind: Cause.Kind, _ inbound: Inbound) -> NewDelivery {
        NewDelivery(
            repository: name, kind: kind, remoteAddress: inbound.remoteAddress,
            headers: KeptHeaders.of(inbound.headers), body: KeptBody.of(inbound.body),
            receivedAt: inbound.receivedAt)
    }

    func keep(_ delivery: NewDelivery, _ matching: Matching, accepted: Bool) async throws -> Answer {
        var delivery = delivery
        delivery.builds = matching.builds
        delivery.ignored = matching.ignored
        return try await keep([delivery], accepted: accepted)
    }

    /// Commit, then answer.
    func keep(_ deliveries: [NewDelivery], accepted: Bool) async throws -> Answer {
        let limits = settings.limits
        let kept = try await store.accept(
            deliveries, room: Room(inAll: limits.pending, perRepository: limits.pendingPerRepository))
        let ignored = zip(deliveries, kept).flatMap { delivery, kept in
            // Where the rules of several repositories stand side by side, a number alone is no rule's.
            guard deliveries.count > 1, let name = delivery.repository else { return kept.ignored }
            return kept.ignored.map { Ignored(rule: $0.rule, reason: "\(name): \($0.reason)", build: $0.build) }
        }
        return Answer(
            delivery: kept.first?.delivery ?? "", builds: kept.flatMap(\.builds), ignored: ignored, accepted: accepted)
    }
}
