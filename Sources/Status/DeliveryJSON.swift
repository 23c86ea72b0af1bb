import Foundation
import Model
import Platform
import Queue

/// A delivery as the API shows it; the CLI reads it back. What isn't known is written as null, so that every delivery has
/// every key.
package struct DeliveryJSON: Codable, Sendable {
    /// What came of a rule.
    package struct OutcomeJSON: Codable, Sendable {
        /// Nil where the reason holds for the whole delivery.
        package var rule: Int?
        /// The build that it made, or the one that was there already.
        package var build: Build.ID?
        /// Why it made none.
        package var reason: String?
        package var url: String?

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(rule, forKey: .rule)
            try container.encode(build, forKey: .build)
            try container.encode(reason, forKey: .reason)
            try container.encode(url, forKey: .url)
        }
    }

    package var id: String
    package var repository: RepositoryName?
    package var kind: Cause.Kind
    package var host: String?
    package var event: String?
    package var sender_id: String?
    package var token: String?
    package var remote_address: String
    package var user_agent: String?
    package var received_at: String
    package var redelivery_of: String?
    /// In the order of the rules, first what holds for the whole delivery.
    package var outcomes: [OutcomeJSON]
    package var url: String

    init(_ delivery: Delivery, url base: String) {
        id = delivery.id
        repository = delivery.repository
        kind = delivery.kind
        host = delivery.host
        event = delivery.event
        sender_id = delivery.senderID
        token = delivery.token
        remote_address = delivery.remoteAddress
        user_agent = delivery.headers.first { $0.name.lowercased() == "user-agent" }?.value
        received_at = Timestamp.text(delivery.receivedAt)
        redelivery_of = delivery.redeliveryOf
        let built = delivery.built.map { OutcomeJSON(rule: $0.rule, build: $0.build, reason: nil) }
        let ignored = delivery.ignored.map { OutcomeJSON(rule: $0.rule, build: $0.build, reason: $0.reason) }
        outcomes = (ignored + built).map { outcome in
            var outcome = outcome
            outcome.url = outcome.build.map { "\(base)/api/v1/builds/\($0)" }
            return outcome
        }
        .sorted { ($0.rule ?? 0, $0.build ?? 0) < ($1.rule ?? 0, $1.build ?? 0) }
        url = "\(base)/api/v1/deliveries/\(delivery.id)"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(repository, forKey: .repository)
        try container.encode(kind, forKey: .kind)
        try container.encode(host, forKey: .host)
        try container.encode(event, forKey: .event)
        try container.encode(sender_id, forKey: .sender_id)
        try container.encode(token, forKey: .token)
        try container.encode(remote_address, forKey: .remote_address)
        try container.encode(user_agent, forKey: .user_agent)
        try container.encode(received_at, forKey: .received_at)
        try container.encode(redelivery_of, forKey: .redelivery_of)
        try container.encode(outcomes, forKey: .outcomes)
        try container.encode(url, forKey: .url)
    }
}

/// A delivery with what was received, as far as it was kept.
package struct WholeDeliveryJSON: Codable, Sendable {
    package enum Encoding: String, Codable, Sendable {
        case utf8 = "utf-8"
        case base64
    }

    package var delivery: DeliveryJSON
    /// In the order sent, secrets masked.
    package var headers: [Header]
    package var body: String
    package var body_encoding: Encoding
    /// In bytes; more than `body` holds where only its beginning was kept.
    package var body_length: Int

    private enum Keys: CodingKey { case headers, body, body_encoding, body_length }

    init(_ delivery: Delivery, url: String) {
        self.delivery = DeliveryJSON(delivery, url: url)
        headers = delivery.headers
        // Where the bound cut through a character, what is left of it is no reason to show no text.
        let cut = delivery.bodyLength > delivery.body.count ? 3 : 0
        let text = (0...cut).lazy.compactMap { String(validating: delivery.body.dropLast($0), as: UTF8.self) }.first
        body = text ?? delivery.body.base64EncodedString()
        body_encoding = text == nil ? .base64 : .utf8
        body_length = delivery.bodyLength
    }

    package init(from decoder: any Decoder) throws {
        delivery = try DeliveryJSON(from: decoder)
        let container = try decoder.container(keyedBy: Keys.self)
        headers = try container.decode([Header].self, forKey: .headers)
        body = try container.decode(String.self, forKey: .body)
        body_encoding = try container.decode(Encoding.self, forKey: .body_encoding)
        body_length = try container.decode(Int.self, forKey: .body_length)
    }

    package func encode(to encoder: any Encoder) throws {
        try delivery.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(headers, forKey: .headers)
        try container.encode(body, forKey: .body)
        try container.encode(body_encoding, forKey: .body_encoding)
        try container.encode(body_length, forKey: .body_length)
    }
}

package struct DeliveryListJSON: Codable, Sendable {
    package var deliveries: [DeliveryJSON]
    /// For `before`, to get the next page; nil on the last.
    package var next: String?
    /// How many requests were turned away since the service started, by the reason.
    package var turned_away: [String: Int]

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(deliveries, forKey: .deliveries)
        try container.encode(next, forKey: .next)
        try container.encode(turned_away, forKey: .turned_away)
    }
}
