import Foundation
import Model
import Queue
import Settings

extension Receiver {
    /// Whose a trigger's token is.
    ///
    /// - Throws: `IntakeError.unknown`.
    package func holder(ofToken token: String) throws(IntakeError) -> TokenHolder {
        guard let holder = live.holder(ofToken: token) else {
            throw .unknown("no repository has this trigger token; look at trigger_tokens in the settings")
        }
        return holder
    }

    /// A build trigger. It is kept as a delivery, whatever comes of it.
    ///
    /// - Throws: `IntakeError`; `QueueFull`; `StoreError` where it could not be kept.
    package func trigger(_ holder: TokenHolder, _ inbound: Inbound) async throws -> Answer {
        var delivery = newDelivery(holder.repository.name, .trigger, inbound)
        delivery.token = holder.token.name
        return try await start(holder.repository, holder.token, delivery, inbound)
    }

    /// A build asked for by name, through the API; kept as a trigger is.
    ///
    /// - Parameter caller: the name of the access token; nil where none is needed.
    package func start(_ name: RepositoryName, caller: String?, _ inbound: Inbound) async throws -> Answer {
        let repository = try repository(name)
        var delivery = newDelivery(name, .api, inbound)
        delivery.token = caller
        return try await start(repository, nil, delivery, inbound)
    }

    private func start(
        _ repository: Repository, _ token: TriggerToken?, _ delivery: NewDelivery, _ inbound: Inbound
    ) async throws -> Answer {
        do {
            let trigger = try Trigger.read(inbound.body)
            var forced = delivery
            forced.force = trigger.force
            forced.isFresh = trigger.isFresh
            let matching = try await matching(trigger, of: repository, token, acceptedAt: inbound.receivedAt)
            return try await keep(forced, matching, accepted: true)
        } catch  where error is IntakeError || error is QueueFull {
            // Whoever reads the log of triggers sees what was sent and why nothing came of it.
            let ignored = [Ignored(rule: nil, reason: "\(error)")]
            _ = try await keep(delivery, Matching(ignored: ignored), accepted: false)
            throw error
        }
    }

    /// What a repository's rules make of a trigger.
    ///
    /// - Parameter token: starts only its rules; nil starts all.
    /// - Throws: `IntakeError.sourceSilent`.
    func matching(
        _ trigger: Trigger, of repository: Repository, _ token: TriggerToken?, acceptedAt: Date
    ) async throws -> Matching {
        var matching = Matching()
        var repository = repository
        repository.rules.removeAll { rule in
            guard let reason = Self.reason(against: rule, trigger, token) else { return false }
            matching.ignored.append(Ignored(rule: rule.number, reason: reason))
            return true
        }
        switch trigger.target {
        case _ where repository.rules.isEmpty: break
        case .all:
            for rule in repository.rules { try await add(rule, of: repository, to: &matching, acceptedAt) }
        case .ref(let ref, let commit):
            var push = Push(ref: ref, commit: commit)
            try await complete(&push, of: repository, asked: true)
            matching.add(push, of: repository, asked: true, acceptedAt: acceptedAt)
        case .commit(let commit):
            var push = try await defaultBranchPush(repository)
            push.commit = commit
            matching.add(push, of: repository, asked: true, acceptedAt: acceptedAt)
        }
        matching.set(trigger.buildArgs)
        return matching
    }

    /// Why a rule is not asked at all, or nil.
    private static func reason(against rule: Rule, _ trigger: Trigger, _ token: TriggerToken?) -> String? {
        if let token, let rules = token.rules, !rules.contains(rule.number) {
            return "the token \"\(token.name)\" is not for it"
        }
        // Docker Hub compares with the tag as the rule has it: an expression's {\1} is no tag that can be asked for.
        if let tag = trigger.imageTag, !rule.tags.contains(where: { $0.text == tag }) {
            let tags = rule.tags.map { "\"\($0)\"" }.joined(separator: ", ")
            return "it makes the tag \(tags), not \"\(tag.excerpt())\""
        }
        return nil
    }

    /// Builds the one ref that a rule names; an expression names none.
    private func add(
        _ rule: Rule, of repository: Repository, to matching: inout Matching, _ acceptedAt: Date
    ) async throws {
        let push: Push
        switch rule.source {
        case .branch(let pattern) where !pattern.isExpression: push = Push(ref: try RefName(.branch, pattern.text))
        case .tag(let pattern) where !pattern.isExpression: push = Push(ref: try RefName(.tag, pattern.text))
        case .defaultBranch: push = try await defaultBranchPush(repository)
        case .branch(let pattern), .tag(let pattern):
            let reason = "\(pattern) names no single branch or tag; ask for one by its name"
            matching.ignored.append(Ignored(rule: rule.number, reason: reason))
            return
        }
        matching.add(push, of: repository, asked: true, only: [rule.number], acceptedAt: acceptedAt)
    }

    private func defaultBranchPush(_ repository: Repository) async throws -> Push {
        let branch = try await askDefaultBranch(repository)
        do {
            return Push(ref: try RefName(.branch, branch), defaultBranch: branch)
        } catch {
            throw IntakeError.sourceSilent("the default branch of \(repository.name) can't be built: \(error)")
        }
    }
}

extension Matching {
    /// Gives the builds a trigger's build arguments; rules that don't allow each of them build nothing.
    fileprivate mutating func set(_ buildArgs: [String: String]) {
        guard !buildArgs.isEmpty else { return }
        let all = builds
        builds = []
        for var build in all {
            let allowed = build.rule.triggerBuildArgs
            if let name = buildArgs.keys.sorted().first(where: { !allowed.contains($0) }) {
                let reason =
                    "it does not let a trigger set build argument \(name.excerpt()); list it under trigger_build_args"
                ignored.append(Ignored(rule: build.rule.number, reason: reason))
            } else {
                build.rule.buildArgs.merge(buildArgs) { $1 }
                builds.append(build)
            }
        }
    }
}
