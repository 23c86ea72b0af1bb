import Foundation
import Model

/// What was told before, and what was built already.
extension Database {
    /// Why a rule builds nothing of this push; nil where it builds.
    ///
    /// - Parameter earlier: the delivery that told the same before.
    func ignored(_ new: NewBuild, toldBy earlier: String?) throws -> Ignored? {
        if let earlier {
            guard let build = try built(by: earlier, as: new) else {
                let reason = "this delivery was told before, and this rule built nothing then"
                return Ignored(rule: new.rule.number, reason: reason)
            }
            let reason =
                "this delivery was told before: it made build \(build.id) (\(build.state.rawValue)); `slipway retry \(build.id)` builds it again"
            return Ignored(rule: new.rule.number, reason: reason, build: build.id)
        }
        guard let build = try known(new) else { return nil }
        let reason =
            new.push.commit == nil
            ? "build \(build.id) is pending and will take the newest commit of \(new.push.ref.name) already"
            : "build \(build.id) is of this commit and rule already (\(build.state.rawValue))"
        return Ignored(rule: new.rule.number, reason: reason, build: build.id)
    }

    /// The first delivery that told the same as this one, which is not kept yet.
    func earlier(_ delivery: NewDelivery) throws -> String? {
        // Only what would build is asked for.
        guard delivery.kind == .webhook, let sender = delivery.senderID, delivery.redeliveryOf == nil,
            !delivery.force, !delivery.builds.isEmpty
        else { return nil }
        return try first(
            """
            SELECT id FROM deliveries
            WHERE sender_id = ? AND repository IS ? AND host IS ? AND kind = 'webhook' AND redelivery_of IS NULL
            ORDER BY number LIMIT 1
            """, sender, delivery.repository, delivery.host
        ) { try $0.get("id") }
    }

    /// The build that a delivery made of the same ref and the rule of the same number.
    private func built(by delivery: String, as new: NewBuild) throws -> Build? {
        try search(
            "SELECT \(Build.columns) FROM builds WHERE delivery = ? AND ref = ?", list: [delivery, new.push.ref]
        ) {
            let build = try Build(row: $0, rules: rules)
            return build.rule.number == new.rule.number ? build : nil
        }
    }

    /// The build that makes another of this push needless.
    func known(_ new: NewBuild) throws -> Build? {
        let (repository, ref, image) = (new.repository, new.push.ref, new.image)
        guard let commit = new.push.commit else {
            return try newest(
                of: new.rule,
                """
                SELECT id, rule FROM builds INDEXED BY builds_without_commit
                WHERE repository = ? AND ref = ? AND state = 'pending' AND "commit" IS NULL AND image = ?
                ORDER BY id DESC
                """, repository, ref, image)
        }
        let build = try newest(
            of: new.rule,
            """
            SELECT id, rule FROM builds INDEXED BY builds_by_commit
            WHERE repository = ? AND ref = ? AND "commit" = ?
                AND state IN ('pending', 'building', 'pushing', 'finished') AND image = ?
            ORDER BY id DESC
            """, repository, ref, commit, image)
        guard let build, let before = new.push.before, try wasElsewhere(new, since: build.id, at: before) else {
            return build
        }
        return nil
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
        let id = try search(sql, list: arguments) { row -> Build.ID? in
            try rules.rule(row.get("rule")).isSame(as: rule) ? row.get("id") : nil
        }
        return try id.map(existing)
    }
}
