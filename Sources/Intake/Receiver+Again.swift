import Foundation
import Model
import Queue
import Settings

/// What was asked for again can't be had again; the description says what to do instead.
package struct NotRepeatable: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension Receiver {
    // MARK: A delivery

    /// Takes a delivery again that was proved when it came: what it told, with the settings of now.
    ///
    /// - Parameters:
    ///   - token: the name of the token of whoever asks.
    ///   - force: whether what is built already, or was skipped, is built all the same.
    ///   - request: the one that asks; its address and time are kept with the new delivery.
    /// - Throws: `NotRepeatable`, and as `webhook(_:_:)`.
    package func redeliver(
        _ delivery: Delivery, by token: String?, force: Bool, _ request: Inbound
    ) async throws -> Answer {
        guard delivery.body.count == delivery.bodyLength else {
            throw NotRepeatable(
                "only the first \(delivery.body.count) of \(delivery.bodyLength) bytes of delivery \(delivery.id) were kept; "
                    + "have its sender send it again")
        }
        let inbound = Inbound(
            headers: delivery.headers, body: delivery.body, remoteAddress: request.remoteAddress,
            receivedAt: request.receivedAt)
        var again = newDelivery(delivery.repository, delivery.kind, inbound)
        again.token = token
        // Always the first, which alone knows the name of the trigger's token.
        again.redeliveryOf = delivery.redeliveryOf ?? delivery.id
        again.force = force
        do {
            switch delivery.kind {
            case .webhook: return try await webhook(again, from: delivery, inbound)
            case .trigger, .api: return try await trigger(again, from: delivery)
            case .retry:
                throw NotRepeatable("delivery \(delivery.id) was a retry, which told nothing; retry the build instead")
            case .poll, .base:
                throw NotRepeatable(
                    "delivery \(delivery.id) was no request; start a build of the branch or tag instead")
            }
        } catch IntakeError.unreadable(let sentence) {
            throw NotRepeatable("delivery \(delivery.id) can't be read: \(sentence)")
        }
    }

    private func trigger(_ delivery: NewDelivery, from kept: Delivery) async throws -> Answer {
        guard !KeptBody.isMasked(kept.body) else {
            throw NotRepeatable("delivery \(kept.id) held a secret, which was not kept; have its sender send it again")
        }
        let repository = try self.kept(kept.repository)
        var token: TriggerToken?
        if kept.kind == .trigger {
            var first = kept
            if let id = kept.redeliveryOf, let found = try await store.delivery(id) { first = found }
            token = repository.triggerTokens.first { $0.name == first.token }
        }
        let trigger = try Trigger.read(kept.body)
        var delivery = delivery
        delivery.isFresh = trigger.isFresh
        let matching = try await matching(trigger, of: repository, token, acceptedAt: delivery.receivedAt)
        return try await keep(delivery, matching, accepted: true)
    }

    private func webhook(
        _ delivery: NewDelivery, from kept: Delivery, _ inbound: Inbound
    ) async throws -> Answer {
        guard let host = hosts.first(where: { $0.name == kept.host }) else {
            throw NotRepeatable("delivery \(kept.id) is of a Git host that this version does not know")
        }
        // What was masked in it is needed only to confirm a subscription, and no confirmation is asked for twice.
        if let type = inbound.header("x-amz-sns-message-type"), type != "Notification" {
            throw NotRepeatable(
                "delivery \(kept.id) was Amazon's \(type.excerpt()), whose secrets are not kept; have Amazon SNS send another"
            )
        }
        let webhook = try await host.read(inbound)
        var delivery = delivery
        delivery.host = host.name
        delivery.event = webhook.event
        // One that no repository was found for may have got one since.
        let repositories =
            kept.repository == nil
            ? CloneAddress.places(of: webhook.addresses, in: settings.repositories, source: \.source)
            : [try self.kept(kept.repository)]
        let deliveries = try await deliveries(of: webhook, as: delivery, for: repositories, inbound.receivedAt)
        return try await keep(deliveries, accepted: !webhook.pushes.isEmpty)
    }

    /// The repository of what was kept.
    private func kept(_ name: RepositoryName?) throws -> Repository {
        guard let name, let repository = settings[name] else {
            throw NotRepeatable(
                "\(name.map { "repository \($0)" } ?? "its repository") is no longer in the settings; put it back and ask again"
            )
        }
        return repository
    }

    // MARK: A build

    /// Builds the same push again, by the rule of the same number as the settings have it now.
    ///
    /// - Parameters:
    ///   - token: the name of the token of whoever asks.
    ///   - request: the one that asks, which is kept as the new build's delivery; its body may hold `no_cache`.
    /// - Throws: `NotRepeatable` where the build has not ended, or its repository or rule would build it no more;
    ///   `IntakeError`, `QueueFull` or `StoreError` as `webhook(_:_:)`.
    package func retry(_ build: Build, by token: String?, _ request: Inbound) async throws -> Answer {
        let isFresh = try Self.isFresh(request.body)
        guard build.state.isEnd else {
            throw NotRepeatable("build \(build.id) is still \(build.state.rawValue); cancel it or wait for its end")
        }
        var repository = try kept(build.repository)
        guard let place = repository.rules.firstIndex(where: { $0.number == build.rule.number }) else {
            throw NotRepeatable(
                "\(build.repository) has no rule \(build.rule.number) any more, which made build \(build.id); "
                    + "start a build of \(build.ref.kind.rawValue) \"\(build.ref.name)\" instead")
        }
        repository.rules = [repository.rules[place].with(argumentsOf: build.rule)]
        var push = Push(ref: build.ref, commit: build.commit, message: build.message, author: build.author)
        try await complete(&push, of: repository, asked: true)
        var matching = Matching()
        matching.add(push, of: repository, asked: true, acceptedAt: request.receivedAt)
        if let ignored = matching.ignored.first {
            throw NotRepeatable("rule \(build.rule.number) does not build it any more: \(ignored.reason)")
        }
        var delivery = newDelivery(build.repository, .retry, request)
        delivery.token = token
        delivery.redeliveryOf = build.cause.delivery
        delivery.force = true
        delivery.isFresh = isFresh
        return try await keep(delivery, matching, accepted: true)
    }

    /// Whether the body of a retry, which may be left out, asks for a build without caches.
    private static func isFresh(_ body: Data) throws(IntakeError) -> Bool {
        let fields = try TriggerFields.read(body)
        try fields.checkNames(["no_cache"])
        do throws(InvalidText) {
            return try fields.flag("no_cache") ?? false
        } catch {
            throw .unreadable(error.description)
        }
    }
}

extension Rule {
    /// The rule with the build arguments that a trigger may have set for a former build.
    fileprivate func with(argumentsOf former: Rule) -> Rule {
        var rule = self
        for name in triggerBuildArgs where former.triggerBuildArgs.contains(name) {
            if let value = former.buildArgs[name] { rule.buildArgs[name] = value }
        }
        return rule
    }
}
