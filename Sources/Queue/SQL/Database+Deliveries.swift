import Foundation
import Model

extension Database {
    func delivery(_ id: String) throws -> Delivery? {
        let delivery = try first("SELECT \(Delivery.columns), body FROM deliveries WHERE id = ?", id) {
            try Delivery(row: $0, body: $0.get("body"))
        }
        return try withBuilt(delivery.map { [$0] } ?? []).first
    }

    func deliveries(_ query: DeliveryQuery) throws -> [Delivery] {
        var conditions: [String] = []
        var arguments: [any Storable] = []
        if let repository = query.repository {
            conditions.append("repository = ?")
            arguments.append(repository)
        }
        if !query.kinds.isEmpty {
            conditions.append("kind IN (\(Set(query.kinds).map { "'\($0)'" }.sorted().joined(separator: ", ")))")
        }
        if let before = query.before {
            conditions.append("number < (SELECT number FROM deliveries WHERE id = ?)")
            arguments.append(before)
        }
        let condition = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND "))"
        // SQLite takes a negative limit for none.
        arguments.append(max(0, query.limit))
        let deliveries = try all(
            """
            SELECT \(Delivery.columns) FROM deliveries \(condition)
            ORDER BY number DESC LIMIT ?
            """, list: arguments
        ) { try Delivery(row: $0, body: Data()) }
        return try withBuilt(deliveries)
    }

    private func withBuilt(_ deliveries: [Delivery]) throws -> [Delivery] {
        let asked = try deliveries.map { delivery in
            let built = try ask("SELECT id, rule FROM builds WHERE delivery = ? ORDER BY id", delivery.id) { [rules] in
                Delivery.Built(rule: try rules.rule($0.get("rule")).number, build: try $0.get("id"))
            }
            return (delivery, built)
        }
        return try asked.map { delivery, built in
            var delivery = delivery
            delivery.built = try built.rows
            return delivery
        }
    }
}

extension Delivery {
    /// All but the body, which need not be read for a list.
    static let columns = """
        id, repository, kind, host, sender_id, event, token, remote_address, headers, body_length, received_at,
        redelivery_of, ignored
        """

    /// A row of `columns`, without the builds.
    init(row: Row, body: Data) throws {
        self.init(
            id: try row.get("id"), repository: try row.get("repository"), kind: try row.get("kind"),
            host: try row.get("host"), senderID: try row.get("sender_id"), event: try row.get("event"),
            token: try row.get("token"), remoteAddress: try row.get("remote_address"),
            headers: try row.get("headers", as: JSON<[Header]>.self).content, body: body,
            bodyLength: try row.get("body_length"), receivedAt: try row.get("received_at"),
            redeliveryOf: try row.get("redelivery_of"), built: [],
            ignored: try row.get("ignored", as: JSON<[Ignored]>.self).content)
    }

    /// 128 bits as hexadecimal digits: the time in milliseconds and 80 random bits, like a UUID of version 7 (RFC 9562,
    /// 5.7): what comes at one time lies side by side in the indexes, and so costs fewer pages.
    static func newID(at time: Date) -> String {
        let milliseconds = UInt64(max(0, time.timeIntervalSince1970 * 1000))
        return digits(milliseconds << 16 | UInt64(UInt16.random(in: 0...UInt16.max)))
            + digits(UInt64.random(in: 0...UInt64.max))
    }

    private static func digits(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
