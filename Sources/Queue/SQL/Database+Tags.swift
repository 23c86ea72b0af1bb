import Foundation
import Model

/// Who may push under a commit tag, and who may move a tag.
extension Database {
    /// Makes the commit tag the build's own, unless it is another's.
    func takeCommitTag(_ name: Tag, build: Build.ID) throws {
        try run(
            """
            INSERT INTO commit_tags (image, name, build) SELECT image, ?, id FROM builds WHERE id = ?
            ON CONFLICT DO NOTHING
            """, name, build)
    }

    /// Whose the commit tag is, of the image of `build`.
    func commitTagOwner(_ name: Tag, of build: Build.ID) throws -> Build.ID? {
        try first(
            """
            SELECT build FROM commit_tags
            WHERE image = (SELECT image FROM builds WHERE id = ?) AND name = ?
            """, build, name
        ) { try $0.get("build") }
    }

    func freeCommitTag(_ name: Tag, of build: Build.ID) throws {
        try run(
            """
            DELETE FROM commit_tags
            WHERE build = ?1 AND name = ?2 AND EXISTS (
                SELECT * FROM builds
                WHERE id = ?1 AND digest IS NULL AND state IN ('failed', 'cancelled', 'superseded'))
            """, build, name)
    }

    func startMoving(_ hold: Hold, tag: Tag) throws -> MoveRight {
        let isNamed = try askTag(tag, of: hold.build)
        let image = try imageBeingPushed(hold)
        try requireTag(tag, of: hold.build, isNamed)
        try lock(tag: tag, of: image)
        let repaired = try askRepaired(tag, image: image)
        let holder = try askHolder(of: tag, image: image)
        let hasMove = try askMove(of: tag, image: image, hold)
        if let build = try repaired.first { return .busy(build) }
        // Asked for again, it is read only: nothing is to be brought to the disk.
        if try hasMove.first != nil || takeMove(of: tag, image: image, for: hold) > 0 {
            return .granted(holder: try holder.first)
        }
        guard let mover = try mover(of: tag, image: image) else { throw LeaseLost(hold, operation) }
        return .busy(mover)
    }

    func moved(_ hold: Hold, tag: Tag) throws {
        let image = try imageBeingPushed(hold)
        try lock(tag: tag, of: image)
        try guarded(hold) { try endMove(of: tag, image: image, by: hold) }
        try point(tag, to: hold.build)
        try markMoved(tag, of: hold.build)
    }

    func kept(_ hold: Hold, tag: Tag, reason: String) throws {
        let isNamed = try askTag(tag, of: hold.build)
        let image = try imageBeingPushed(hold)
        _ = try endMove(of: tag, image: image, by: hold)
        try requireTag(tag, of: hold.build, isNamed)
        try markKept(tag, of: hold.build, reason: reason)
    }

    /// Who moves a tag, and who puts it right, do it one after the other.
    func lock(tag name: Tag, of image: ImageName) throws { try lock(["tag \(image):\(name)"]) }

    func endMoves(of build: Build.ID) throws {
        try run("DELETE FROM moves WHERE build = ?", build)
    }

    /// - Throws: `LeaseLost` unless the attempt is `pushing` and its digest is known.
    private func imageBeingPushed(_ hold: Hold) throws -> ImageName {
        let image = try first(
            """
            SELECT image FROM builds WHERE id = ? AND state = 'pushing' AND attempt = ? AND digest IS NOT NULL
            """, hold.build, hold.attempt
        ) { try $0.get("image", as: ImageName.self) }
        guard let image else { throw LeaseLost(hold, operation) }
        return image
    }

    private func askTag(_ name: Tag, of build: Build.ID) throws -> Later<Bool> {
        try ask("SELECT 1 AS found FROM build_tags WHERE build = ? AND name = ?", build, name) { _ in true }
    }

    /// - Throws: `StoreError` where the build is not to get the name: a worker's mistake, not a lost lease.
    private func requireTag(_ name: Tag, of build: Build.ID, _ isNamed: Later<Bool>) throws {
        guard try isNamed.first != nil else {
            throw StoreError(
                .failed, "build \(build) is not to get the tag \"\(name)\"", operation: operation, database: path)
        }
    }

    private func askMove(of name: Tag, image: ImageName, _ hold: Hold) throws -> Later<Bool> {
        try ask(
            "SELECT 1 AS found FROM moves WHERE image = ? AND name = ? AND build = ? AND attempt = ?",
            image, name, hold.build, hold.attempt
        ) { _ in true }
    }

    /// Takes the right where nobody has it, or whoever had it no longer pushes.
    private func takeMove(of name: Tag, image: ImageName, for hold: Hold) throws -> Int {
        try count(
            """
            INSERT INTO moves (image, name, build, attempt) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (image, name) DO UPDATE SET build = excluded.build, attempt = excluded.attempt
            WHERE moves.build = excluded.build OR NOT EXISTS (
                SELECT 1 FROM builds
                WHERE builds.id = moves.build AND builds.state = 'pushing' AND builds.attempt = moves.attempt)
            """, image, name, hold.build, hold.attempt)
    }

    /// The build of a tag that is being put right.
    private func askRepaired(_ name: Tag, image: ImageName) throws -> Later<Build.ID> {
        try ask(
            "SELECT build FROM tags WHERE image = ? AND name = ? AND repair_until > ?", image, name, now
        ) { try $0.get("build") }
    }

    private func mover(of name: Tag, image: ImageName) throws -> Build.ID? {
        try first("SELECT build FROM moves WHERE image = ? AND name = ?", image, name) { try $0.get("build") }
    }

    private func endMove(of name: Tag, image: ImageName, by hold: Hold) throws -> Int {
        try count(
            "DELETE FROM moves WHERE image = ? AND name = ? AND build = ? AND attempt = ?",
            image, name, hold.build, hold.attempt)
    }

    private func point(_ name: Tag, to build: Build.ID) throws {
        try run(
            """
            INSERT INTO tags (image, name, build, "commit", digest, moved_at)
            SELECT image, ?, id, "commit", digest, ? FROM builds WHERE id = ?
            ON CONFLICT (image, name) DO UPDATE
            SET build = excluded.build, "commit" = excluded."commit", digest = excluded.digest,
                moved_at = excluded.moved_at, found_digest = NULL, found_at = NULL, repair_until = NULL
            """, name, now, build)
    }

    private func markMoved(_ name: Tag, of build: Build.ID) throws {
        try run("UPDATE build_tags SET moved = TRUE, reason = NULL WHERE build = ? AND name = ?", build, name)
    }

    private func markKept(_ name: Tag, of build: Build.ID, reason: String) throws {
        try run("UPDATE build_tags SET moved = FALSE, reason = ? WHERE build = ? AND name = ?", reason, build, name)
    }
}
