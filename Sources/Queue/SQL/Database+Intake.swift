import Foundation
import Model

extension Database {
    /// How much of a delivery's body is kept, in bytes.
    static let bodyLimit = 1 << 20

    /// Keeps the deliveries of each call, and makes the builds that aren't there yet.
    ///
    /// - Throws: `QueueFull` where the builds of a call would be more than its room.
    func accept(_ calls: [AcceptCall]) throws -> [[Acceptance]] {
        // What was told before is looked for, so that it must not be told meanwhile.
        try lock(calls.flatMap(\.deliveries).flatMap(\.builds).map { "accept \($0.repository)" })
        var batch = try AcceptBatch(calls, self)
        let acceptances = try calls.map { call in
            try call.deliveries.map { try accept($0, room: call.room, &batch) }
        }
        try batch.pending.write()
        let made = acceptances.joined()
        tell(stopOf: made.flatMap(\.superseded))
        if made.contains(where: { !$0.builds.isEmpty }) { tell([.pending]) }
        return acceptances
    }

    private func accept(
        _ delivery: NewDelivery, room: Room, _ batch: inout AcceptBatch
    ) throws -> Acceptance {
        defer { batch.pass(delivery) }
        var delivery = delivery
        delivery.ignored.sort { ($0.rule ?? 0) < ($1.rule ?? 0) }
        // It was no request: without a build there is nothing to tell of it.
        if delivery.kind == .poll || delivery.kind == .base {
            let known = try delivery.builds.map { try ignored($0, of: delivery, &batch.new) }
            if known.allSatisfy({ $0 != nil }) {
                return Acceptance(delivery: "", builds: [], ignored: delivery.ignored + known.compactMap(\.self))
            }
        }
        let id = try insert(delivery)
        var builds: [Build] = []
        var superseded: [Build.ID] = []
        for (place, new) in delivery.builds.enumerated() {
            if !delivery.force, let ignored = try ignored(new, of: delivery, &batch.new) {
                delivery.ignored.append(ignored)
            } else {
                try batch.pending.add(new.repository, room: room)
                let cause = Cause(
                    delivery.causeOfBuilds, host: delivery.host, delivery: id, detail: delivery.detail)
                let build = try insert(new, as: batch.number(place), cause, isFresh: delivery.isFresh)
                // On somebody's word an older commit is built too: that takes nobody's place.
                if !delivery.force, let before = new.push.before, try !batch.new.isNew(new, at: before) {
                    let older = try predecessors(of: build, before: before)
                    if !older.isEmpty { try batch.pending.write() }
                    // Theirs is the same rule.
                    let alsoRunning = build.rule.cancelRunning
                    superseded += try older.filter {
                        try supersede($0, by: build, alsoRunning: alsoRunning)
                    }
                }
                builds.append(build)
            }
        }
        if builds.count < delivery.builds.count {
            delivery.ignored.sort { ($0.rule ?? 0) < ($1.rule ?? 0) }
            try note(delivery.ignored, of: id)
        }
        return Acceptance(delivery: id, builds: builds, ignored: delivery.ignored, superseded: superseded)
    }

    /// - Returns: the delivery's id.
    private func insert(_ delivery: NewDelivery) throws -> String {
        let id = Delivery.newID(at: delivery.receivedAt)
        prove(by: Evidence(sql: "SELECT number FROM deliveries WHERE id = ?", arguments: [id]))
        try add(
            .delivery, id, delivery.repository, delivery.kind, delivery.host, delivery.senderID, delivery.event,
            delivery.token, delivery.remoteAddress, delivery.redeliveryOf, JSONText.list(delivery.ignored),
            delivery.receivedAt, JSONText.list(delivery.headers), delivery.body.count,
            delivery.body.prefix(Self.bodyLimit))
        return id
    }

    private func note(_ ignored: [Ignored], of delivery: String) throws {
        try run("UPDATE deliveries SET ignored = ? WHERE id = ?", JSONText.list(ignored), delivery)
    }

    private func insert(_ new: NewBuild, as id: Build.ID, _ cause: Cause, isFresh: Bool) throws -> Build {
        try add(
            .build, id, new.repository, Build.State.pending, new.push.ref, new.push.commit, new.push.message,
            new.push.author, rules.text(new.rule), JSONText.list(new.captures),
            new.rule.runsOn.isEmpty ? nil : JSONText.list(new.rule.runsOn), new.image, new.names?.commitTag, cause.kind,
            cause.host, cause.detail, cause.delivery, isFresh, now)
        try insert(new.names?.tags ?? [], of: id)
        return Build(
            id: id, repository: new.repository, state: .pending, ref: new.push.ref, commit: new.push.commit,
            message: new.push.message, author: new.push.author, rule: new.rule, captures: new.captures,
            image: new.image, commitTag: new.names?.commitTag, tags: new.names?.tags.map { BuildTag(name: $0) } ?? [],
            cause: cause, isFresh: isFresh, createdAt: try now)
    }

    /// The names that a build's image is to get, none of them moved yet.
    func insert(_ names: [Tag], of build: Build.ID) throws {
        for (position, name) in names.enumerated() { try insert(name, at: position, of: build) }
    }

    private func insert(_ name: Tag, at position: Int, of build: Build.ID) throws {
        try add(.tag, build, position, name)
    }
}

extension NewRow {
    fileprivate static let delivery = NewRow(
        of: "deliveries", "id", "repository", "kind", "host", "sender_id", "event", "token", "remote_address",
        "redelivery_of", "ignored", "received_at", "headers", "body_length", "body")
    fileprivate static let build = NewRow(
        of: "builds", "id", "repository", "state", "ref", "\"commit\"", "message", "author", "rule", "captures",
        "runs_on", "image", "commit_tag", "cause_kind", "cause_host", "cause_detail", "delivery", "fresh", "created_at")
    fileprivate static let tag = NewRow(of: "build_tags", "build", "position", "name")
}
