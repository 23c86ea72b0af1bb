import Foundation
import Model
import Platform

extension Database {
    /// How much of a delivery's body is kept, in bytes.
    static let bodyLimit = 1 << 20

    /// - Returns: the delivery's id: 128 random bits as hexadecimal digits.
    func insert(_ delivery: NewDelivery) throws -> String {
        let id = Crypto.randomBytes(16).hex
        try run(
            """
            INSERT INTO deliveries (id, repository, kind, host, sender_id, event, remote_address, user_agent, body,
                body_length, ignored, received_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            id, delivery.repository, delivery.kind, delivery.host, delivery.senderID, delivery.event,
            delivery.remoteAddress, nil as String?, delivery.body.prefix(Self.bodyLimit), delivery.body.count,
            JSON(delivery.ignored), delivery.receivedAt)
        return id
    }

    func insert(
        _ build: NewBuild, delivery: String, _ kind: Cause.Kind, _ host: String?, now: Date
    ) throws -> Build {
        let number = try first(
            """
            INSERT INTO builds (repository, state, ref, "commit", message, author, rule, captures, image, commit_tag,
                cause_kind, cause_host, delivery, created_at)
            VALUES (?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            RETURNING id
            """,
            build.repository, build.push.ref, build.push.commit, build.push.message, build.push.author,
            JSON(build.rule), JSON(build.captures), build.image, build.names?.commitTag, kind, host,
            delivery, now
        ) { try $0.get("id", as: Build.ID.self) }
        guard let number else {
            throw StoreError(.failed, "a new build had no number", operation: operation, database: path)
        }
        try insert(build.names?.tags ?? [], of: number)
        return try existing(number)
    }

    /// The names that a build's image is to get, none of them moved yet.
    func insert(_ names: [Tag], of build: Build.ID) throws {
        for (position, name) in names.enumerated() { try insert(name, at: position, of: build) }
    }

    private func insert(_ name: Tag, at position: Int, of build: Build.ID) throws {
        try run("INSERT INTO build_tags (build, position, name) VALUES (?, ?, ?)", build, position, name)
    }
}
