import Foundation
import Model
import Queue
import Settings

extension Receiver {
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
        let matching = try await matching(trigger, of: repository, nil, acceptedAt: inbound.receivedAt)
        return try await keep(newDelivery(repository.name, kind, inbound), matching, accepted: true)
    }

    /// What a repository's rules make of a trigger.
    func matching(
        _ trigger: Trigger, of repository: Repository, _ token: TriggerToken?, acceptedAt: Date
    ) async throws -> Matching {
        var matching = Matching()
        switch trigger {
        case .ref(let ref, let commit):
            var push = Push(ref: ref, commit: commit)
            try await complete(&push, of: repository, asked: true)
            matching.add(push, of: repository, asked: true, acceptedAt: acceptedAt)
        case .commit(let commit):
            let branch = try await askDefaultBranch(repository)
            let push = Push(ref: try RefName(.branch, branch), commit: commit, defaultBranch: branch)
            matching.add(push, of: repository, asked: true, acceptedAt: acceptedAt)
        case .all:
            for rule in repository.rules { try await add(rule, of: repository, to: &matching, acceptedAt) }
        case .imageTag(let tag):
            for rule in repository.rules {
                guard rule.tags.contains(where: { $0.text == tag }) else {
                    matching.ignored.append(
                        Ignored(rule: rule.number, reason: "it does not make the tag \"\(tag.excerpt())\""))
                    continue
                }
                try await add(rule, of: repository, to: &matching, acceptedAt)
            }
        }
        return matching
    }

    /// Builds the one ref that a rule names; an expression names none.
    private func add(
        _ rule: Rule, of repository: Repository, to matching: inout Matching, _ acceptedAt: Date
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
        matching.add(push, of: repository, asked: true, only: [rule.number], acceptedAt: acceptedAt)
    }
}
