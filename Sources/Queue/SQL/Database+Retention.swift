import Foundation
import Model

/// What of the past is removed.
extension Database {
    func prune(_ keep: Keep, limit: Int) throws -> Pruned {
        try lock(["prune"])
        try forgetWorkers()
        try forgetBuckets()
        // SQLite takes a negative limit for none.
        let limit = max(0, limit)
        return Pruned(
            builds: try removeBuilds(keep.builds, limit: limit),
            logs: try removeLogs(keep.logs, limit: limit),
            deliveries: try removeDeliveries(keep.deliveries, limit: limit))
    }

    private func removeBuilds(_ bound: Keep.Bound, limit: Int) throws -> Int {
        let builds = try ended(beyond: bound, limit: limit, also: "AND id NOT IN (SELECT build FROM tags)")
        for build in builds {
            for table in ["build_tags", "build_bases", "moves", "log_chunks"] {
                try run("DELETE FROM \(table) WHERE build = ?", build)
            }
            try run("DELETE FROM builds WHERE id = ?", build)
        }
        return builds.count
    }

    private func removeLogs(_ bound: Keep.Bound, limit: Int) throws -> Int {
        let builds = try ended(beyond: bound, limit: limit, also: "AND log_length > 0")
        for build in builds {
            try run("DELETE FROM log_chunks WHERE build = ?", build)
            try run("UPDATE builds SET log_length = 0 WHERE id = ?", build)
        }
        return builds.count
    }

    /// Builds that have ended and are older, or not among the newest of their repository.
    private func ended(beyond bound: Keep.Bound, limit: Int, also condition: String) throws -> [Build.ID] {
        var found: Set<Build.ID> = []
        let ends = "state IN ('finished', 'failed', 'cancelled', 'superseded') \(condition)"
        if let age = bound.age {
            // Builds come in the order of their times: what is younger is not looked at.
            found.formUnion(
                try all(
                    """
                    SELECT id FROM builds WHERE \(ends) AND finished_at < ?1 AND id < coalesce(
                        (SELECT id FROM builds WHERE created_at >= ?1 ORDER BY id LIMIT 1), 9223372036854775807)
                    ORDER BY id LIMIT ?2
                    """, now.addingTimeInterval(-age.seconds), limit
                ) { try $0.get("id") })
        }
        if let number = bound.count {
            for repository in try repositories(of: "builds") {
                found.formUnion(
                    try all(
                        """
                        SELECT id FROM builds INDEXED BY builds_by_repository
                        WHERE repository = ?1 AND \(ends) AND id <= (
                            SELECT id FROM builds WHERE repository = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                        ORDER BY id LIMIT ?3
                        """, repository, max(0, number), limit
                    ) { try $0.get("id") })
            }
        }
        return Array(found.sorted().prefix(limit))
    }

    private func removeDeliveries(_ bound: Keep.Bound, limit: Int) throws -> Int {
        // What still runs may be told again.
        let ends =
            "NOT EXISTS (SELECT 1 FROM builds WHERE delivery = deliveries.id AND state IN ('pending', 'building', 'pushing'))"
        var removed = 0
        if let age = bound.age {
            removed += try count(
                """
                DELETE FROM deliveries WHERE number IN (
                    SELECT number FROM deliveries WHERE received_at < ?1 AND \(ends) AND number < coalesce(
                        (SELECT number FROM deliveries WHERE received_at >= ?1 ORDER BY number LIMIT 1),
                        9223372036854775807)
                    ORDER BY number LIMIT ?2)
                """, now.addingTimeInterval(-age.seconds), limit)
        }
        if let number = bound.count {
            for repository in try repositories(of: "deliveries") where removed < limit {
                // An index has no place for what is not distinct.
                let its = repository == nil ? "repository IS NULL AND CAST(?1 AS TEXT) IS NULL" : "repository = ?1"
                removed += try count(
                    """
                    DELETE FROM deliveries WHERE number IN (
                        SELECT number FROM deliveries WHERE \(its) AND \(ends) AND number <= (
                            SELECT number FROM deliveries WHERE \(its)
                            ORDER BY number DESC LIMIT 1 OFFSET ?2)
                        ORDER BY number LIMIT ?3)
                    """, repository, max(0, number), limit - removed)
            }
        }
        return removed
    }

    /// Nil for deliveries of none.
    private func repositories(of table: String) throws -> [String?] {
        try all("SELECT DISTINCT repository FROM \(table)") { try $0.get("repository", as: String?.self) }
    }
}
