import Foundation
import Model

/// AWS CodeCommit, whose pushes come as messages of an Amazon SNS topic: from a trigger of the repository, or from a rule
/// of EventBridge.
struct CodeCommit: GitHost {
    let name = "codecommit"
    private let sns: AmazonSNS

    /// - Parameter fetch: asks Amazon for certificates and confirmations.
    init(fetch: @escaping AmazonSNS.Fetch = AmazonWeb.get) {
        sns = AmazonSNS(fetch: fetch)
    }

    func sent(_ inbound: Inbound) -> Bool { inbound.header("x-amz-sns-message-type") != nil }

    func delivery(_ inbound: Inbound) -> String? { inbound.header("x-amz-sns-message-id") }

    func verify(_ inbound: Inbound, _ trust: Trust) async throws {
        guard !trust.topics.isEmpty else {
            throw IntakeError.unauthenticated(
                "\(trust.owner) has no sns_topic in the settings, so no message of Amazon SNS is taken; write the topic's "
                    + "ARN there")
        }
        guard inbound.header("x-amz-sns-rawdelivery")?.lowercased() != "true" else {
            throw IntakeError.unauthenticated(
                "a raw message is not signed; turn off raw message delivery in the subscription")
        }
        let message = try SNSMessage.read(inbound.body)
        guard message.type == inbound.header("x-amz-sns-message-type") else {
            throw IntakeError.unauthenticated(
                "the message's Type \"\(message.type.excerpt())\" is not that of the header x-amz-sns-message-type")
        }
        guard trust.topics.contains(message.topic) else {
            throw IntakeError.unauthenticated(
                "the message's TopicArn \"\(message.topic.excerpt())\" is not the sns_topic of \(trust.owner)")
        }
        try await sns.verify(message, now: inbound.receivedAt)
    }

    func read(_ inbound: Inbound) async throws -> Webhook {
        let message = try SNSMessage.read(inbound.body)
        switch message.type {
        case "Notification": return try Self.notification(message)
        case "SubscriptionConfirmation":
            try await sns.confirm(message)
            return Webhook(event: message.type, reasons: ["the subscription to \(message.topic) is confirmed"])
        case "UnsubscribeConfirmation":
            return Webhook(
                event: message.type,
                reasons: ["the subscription to \(message.topic) has ended; its pushes are not told any more"])
        default:
            return Webhook(
                event: message.type, reasons: ["a message of the type \"\(message.type.excerpt())\" builds nothing"])
        }
    }

    private static func notification(_ message: SNSMessage) throws -> Webhook {
        // Anybody may publish a word at the topic.
        guard message.text.first(where: { !$0.isWhitespace }) == "{" else {
            return Webhook(event: message.type, reasons: ["the message is no event of CodeCommit"])
        }
        let event: Event
        do {
            event = try JSONDecoder().decode(Event.self, from: Data(message.text.utf8))
        } catch {
            let fault = Unreadable.sentence(Data(message.text.utf8), error, wanted: "an event of CodeCommit")
            throw IntakeError.unreadable("\"Message\" can't be read: \(fault)")
        }
        if let records = event.Records { return try webhook(records) }
        return try webhook(event)
    }

    /// From a trigger of the repository ("Manage triggers for a repository").
    private static func webhook(_ records: [Event.Record]) throws -> Webhook {
        var webhook = Webhook(event: "ReferenceChanges")
        let repository = records.first { $0.codecommit != nil }?.eventSourceARN
        webhook.addresses = repository.map(addresses) ?? []
        for record in records {
            guard let codecommit = record.codecommit, record.eventSourceARN == repository else {
                webhook.reasons.append("a record is of something else than the CodeCommit repository of this message")
                continue
            }
            for reference in codecommit.references ?? [] {
                try webhook.add(
                    change(reference.ref, commit: reference.commit, isDeletion: reference.deleted == true))
            }
        }
        if webhook.pushes.isEmpty, webhook.reasons.isEmpty {
            webhook.reasons = ["the push changed no branch and no tag"]
        }
        return webhook
    }

    /// From a rule of EventBridge ("Monitoring CodeCommit events").
    private static func webhook(_ event: Event) throws -> Webhook {
        let kind = event.kind ?? ""
        guard kind == "CodeCommit Repository State Change", let detail = event.detail else {
            return Webhook(
                event: kind.isEmpty ? "Notification" : kind, reasons: ["the message is no push of CodeCommit"])
        }
        var webhook = Webhook(event: detail.event)
        webhook.addresses = event.resources?.first.map(addresses) ?? []
        guard ["referenceCreated", "referenceUpdated", "referenceDeleted"].contains(detail.event) else {
            webhook.reasons = ["event \"\(detail.event.excerpt())\" builds nothing; only changes of references do"]
            return webhook
        }
        guard let ref = detail.referenceFullName else {
            throw IntakeError.unreadable("\"Message\" can't be read: \"detail.referenceFullName\" is missing")
        }
        try webhook.add(
            change(
                ref, commit: detail.commitId, before: detail.oldCommitId,
                isDeletion: detail.event == "referenceDeleted"))
        return webhook
    }

    /// For a tag nothing says whether the id is that of the commit or of the tag object, so it is left out.
    private static func change(
        _ ref: String, commit: String?, before: String? = nil, isDeletion: Bool
    ) -> Webhook.Change {
        let isTag = RefName.isTag(ref)
        return Webhook.Change(
            ref: ref, commit: isTag ? nil : commit, before: isTag ? nil : before, isDeletion: isDeletion)
    }

    /// Of a repository's ARN, `arn:aws:codecommit:<region>:<account>:<name>`; none for another text.
    private static func addresses(_ arn: String) -> [String] {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "codecommit" else { return [] }
        let (region, name) = (parts[3], parts[5])
        let host = "git-codecommit.\(region).amazonaws.com" + (parts[1] == "aws-cn" ? ".cn" : "")
        return [
            "https://\(host)/v1/repos/\(name)", "ssh://\(host)/v1/repos/\(name)", "codecommit::\(region)://\(name)",
        ]
    }

    /// Either of the two shapes.
    private struct Event: Decodable {
        struct Record: Decodable {
            struct Changes: Decodable {
                struct Reference: Decodable {
                    var ref: String
                    var commit: String?
                    var deleted: Bool?
                }
                var references: [Reference]?
            }
            var eventSourceARN: String?
            /// Nil in records of other services.
            var codecommit: Changes?
        }
        struct Detail: Decodable {
            var event: String
            var referenceFullName: String?
            var commitId: String?
            var oldCommitId: String?
        }
        var Records: [Record]?
        /// `detail-type`.
        var kind: String?
        /// ARNs.
        var resources: [String]?
        var detail: Detail?

        private enum CodingKeys: String, CodingKey {
            case kind = "detail-type"
            case Records, resources, detail
        }
    }
}
