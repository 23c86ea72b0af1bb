import Foundation
import Model

/// What was told before, and what was built already.
extension Database {
    /// Why a rule builds nothing of this push; nil where it builds.
    func ignored(_ new: NewBuild, of delivery: NewDelivery, _ pushes: inout NewPushes) throws -> Ignored? {
        // Of what is found by looking, a build may wait that doesn't know its commit.
        if delivery.kind != .poll, try pushes.isNew(new) { return nil }
        if let build = try told(new, by: delivery) {
            let reason =
                "this delivery was told before: it made build \(build.id) (\(build.state.rawValue)); `slipway retry \(build.id)` builds it again"
            return Ignored(rule: new.rule.number, reason: reason, build: build.id)
        }
        guard
            let build = try delivery.kind == .base ? rebuilt(new, for: delivery.detail) : known(new, by: delivery.kind)
        else { return nil }
        let reason =
            build.commit == nil
            ? "build \(build.id) is pending and will take the newest commit of \(new.push.ref.name) already"
            : "build \(build.id) is of this commit and rule already (\(build.state.rawValue))"
        return Ignored(rule: new.rule.number, reason: reason, build: build.id)
    }

    /// The build that a webhook with the same id made of the same, whatever became of it.
    ///
    /// Looked for by the push, which is the same where the id is: an index of ids, which come in no order, would make
    /// each delivery write more than its body.
    private func told(_ new: NewBuild, by delivery: NewDelivery) throws -> Build? {
        guard delivery.kind == .webhook, let sender = delivery.senderID, delivery.redeliveryOf == nil else {
            return nil
        }
        // A push whose commit isn't told is one of a tag, which few builds are of.
        let commit: [any Storable] = new.push.commit.map { [$0] } ?? []
        return try newest(
            of: new.rule,
            """
            SELECT builds.id, builds.rule FROM builds INDEXED BY builds_by_commit
            CROSS JOIN deliveries ON deliveries.id = builds.delivery
            WHERE builds.repository = ? AND ref = ? \(commit.isEmpty ? "" : #"AND "commit" = ?"#) AND image = ?
                AND sender_id = ? AND host IS NOT DISTINCT FROM ? AND deliveries.kind = 'webhook' AND redelivery_of IS NULL
            ORDER BY builds.id DESC
            """, list: [new.repository, new.push.ref] + commit + [new.image, sender, delivery.host])
    }

    /// The build that makes another of this push needless.
    private func known(_ new: NewBuild, by kind: Cause.Kind) throws -> Build? {
        guard let commit = new.push.commit else { return try waiting(new) }
        // Nobody asks for what a look at the source finds: what was told of it, and failed, is not missed.
        let lives = "AND state IN ('pending', 'building', 'pushing', 'finished', 'superseded')"
        let build = try newest(
            of: new.rule,
            """
            SELECT id, rule FROM builds INDEXED BY builds_by_commit
            WHERE repository = ? AND ref = ? AND "commit" = ? AND image = ? \(kind == .poll ? "" : lives)
            ORDER BY id DESC
            """, new.repository, new.push.ref, commit, new.image)
        guard let build else { return kind == .poll ? try waiting(new) : nil }
        if let before = new.push.before, try wasElsewhere(new, since: build.id, at: before) { return nil }
        return build
    }

    /// The build that will see the move of a base image, or was made for it: not before the last image, for what was set
    /// back may move there again, nor one that gave its place to a newer push in vain.
    private func rebuilt(_ new: NewBuild, for detail: String?) throws -> Build? {
        let build = try newest(
            of: new.rule,
            """
            SELECT id, rule FROM builds INDEXED BY builds_by_commit
            WHERE repository = ? AND ref = ? AND "commit" IS NOT DISTINCT FROM ? AND image = ?
                AND (state IN ('pending', 'finished') OR (cause_kind = 'base' AND cause_detail IS NOT DISTINCT FROM ? AND NOT EXISTS (
                    SELECT 1 FROM builds AS later
                    WHERE later.id = builds.successor AND later.state IN ('failed', 'cancelled'))))
            ORDER BY state = 'pending' DESC, id DESC
            """, new.repository, new.push.ref, new.push.commit, new.image, detail)
        guard let build, build.state == .pending || (build.cause.kind == .base && build.cause.detail == detail) else {
            return nil
        }
        return build
    }

    /// The pending build that will take the newest commit of the ref.
    private func waiting(_ new: NewBuild) throws -> Build? {
        try newest(
            of: new.rule,
            """
            SELECT id, rule FROM builds INDEXED BY builds_without_commit
            WHERE repository = ? AND ref = ? AND state = 'pending' AND "commit" IS NULL AND image = ?
            ORDER BY id DESC
            """, new.repository, new.push.ref, new.image)
    }

    /// Whether the newest build of the ref and rule is a later one than `build`, and of the commit `before`.
    private func wasElsewhere(_ new: NewBuild, since build: Build.ID, at before: CommitID) throws -> Bool {
        // The commit is looked for first, so that not all later builds of the repository are gone through in vain.
        let newest = try newest(
            of: new.rule,
            """
            SELECT id, rule FROM builds INDEXED BY builds_by_repository
            WHERE repository = ?1 AND ref = ?2 AND image = ?3 AND id > ?4 AND EXISTS (
                SELECT 1 FROM builds WHERE repository = ?1 AND ref = ?2 AND "commit" = ?5 AND id > ?4)
            ORDER BY id DESC
            """, new.repository, new.push.ref, new.image, build, before)
        return newest?.commit == before
    }

    func lastFinished(before build: Build) throws -> Build? {
        try newest(
            of: build.rule,
            """
            SELECT id, rule FROM builds INDEXED BY builds_finished
            WHERE repository = ? AND ref = ? AND state = 'finished' AND image = ? AND id < ?
            ORDER BY id DESC
            """, build.repository, build.ref, build.image, build.id)
    }

    /// The first build of those that `sql` gives whose rule is the same, wherever it stands in the settings.
    private func newest(of rule: Rule, _ sql: String, _ arguments: any Storable...) throws -> Build? {
        try newest(of: rule, sql, list: arguments)
    }

    private func newest(of rule: Rule, _ sql: String, list arguments: [any Storable]) throws -> Build? {
        let id = try search(sql, list: arguments) { row -> Build.ID? in
            try rules.rule(row.get("rule")).isSame(as: rule) ? row.get("id") : nil
        }
        return try id.map(existing)
    }
}
