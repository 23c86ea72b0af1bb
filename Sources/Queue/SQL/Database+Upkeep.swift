import Foundation
import Model

/// What the service notes for itself: pauses, what the poll saw, what the sweep found.
extension Database {
    // MARK: Pause

    func pause(_ pause: Pause) throws {
        try lock([Self.claims])
        try run(
            "INSERT INTO pause (id, since, by, reason) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING",
            pause.since, pause.by, pause.reason)
    }

    func resume() throws -> Pause? {
        let pause = try paused()
        try run("DELETE FROM pause")
        return pause
    }

    func paused() throws -> Pause? {
        try first("SELECT since, by, reason FROM pause") {
            Pause(since: try $0.get("since"), by: try $0.get("by"), reason: try $0.get("reason"))
        }
    }

    // MARK: Poll

    func seenRefs(_ repository: RepositoryName) throws -> [RefName: CommitID]? {
        try first("SELECT refs FROM sources WHERE repository = ?", repository) {
            let refs = try $0.get("refs", as: JSON<[String: String]>.self).content
            return try refs.reduce(into: [RefName: CommitID]()) { $0[try RefName($1.key)] = try CommitID($1.value) }
        }
    }

    func saw(_ refs: [RefName: CommitID], in repository: RepositoryName) throws {
        let texts = refs.reduce(into: [String: String]()) { $0[$1.key.text] = $1.value.text }
        try run(
            "INSERT INTO sources VALUES (?1, ?2) ON CONFLICT (repository) DO UPDATE SET refs = excluded.refs",
            repository,
            try JSON(texts))
    }

    // MARK: Sweep

    func tags(after place: TagPlace?, limit: Int) throws -> [TagPlace] {
        try all(
            """
            \(TagPlace.query)
            WHERE (tags.image, name) > (?, ?) ORDER BY tags.image, name LIMIT ?
            """, place?.image.text ?? "", place?.name.text ?? "", max(0, limit),
            read: TagPlace.init(row:))
    }

    func tags(of image: ImageName) throws -> [TagPlace] {
        try all("\(TagPlace.query) WHERE tags.image = ? ORDER BY name", image, read: TagPlace.init(row:))
    }

    func found(_ other: FoundTag?, at tag: TagPlace) throws {
        // Unless a build has moved it meanwhile.
        try run(
            "UPDATE tags SET found_digest = ?, found_at = ? WHERE image = ? AND name = ? AND digest = ?",
            other?.digest, other?.since, tag.image, tag.name, tag.holder.digest)
    }

    func build(of digest: Digest, in image: ImageName, tag: Tag?) throws -> Build? {
        if let tag {
            let id = try first(
                """
                SELECT id FROM builds WHERE digest = ?1 AND image = ?2
                    AND EXISTS (SELECT * FROM build_tags WHERE build = builds.id AND name = ?3)
                ORDER BY id DESC LIMIT 1
                """, digest, image, tag
            ) { try $0.get("id", as: Build.ID.self) }
            if let id { return try existing(id) }
        }
        let id = try first(
            "SELECT id FROM builds WHERE digest = ? AND image = ? ORDER BY id DESC LIMIT 1", digest, image
        ) { try $0.get("id", as: Build.ID.self) }
        return try id.map(existing)
    }

    func startRepair(_ name: Tag, of image: ImageName, for time: Duration) throws -> TagHolder? {
        try lock(tag: name, of: image)
        let taken = try count(
            """
            UPDATE tags SET repair_until = ?1
            WHERE image = ?2 AND name = ?3 AND (repair_until IS NULL OR repair_until <= ?4) AND NOT EXISTS (
                SELECT 1 FROM moves JOIN builds ON builds.id = moves.build
                WHERE moves.image = ?2 AND moves.name = ?3
                    AND builds.state = 'pushing' AND builds.attempt = moves.attempt)
            """, now.addingTimeInterval(time.seconds), image, name, now)
        return taken > 0 ? try holder(of: name, image: image) : nil
    }

    func endRepair(_ name: Tag, of image: ImageName) throws {
        try run("UPDATE tags SET repair_until = NULL WHERE image = ? AND name = ?", image, name)
    }

    func adopt(_ name: Tag, of image: ImageName, by build: Build.ID) throws {
        try run(
            """
            UPDATE tags SET (build, "commit", digest) = (SELECT id, "commit", digest FROM builds WHERE id = ?1),
                moved_at = ?2, found_digest = NULL, found_at = NULL
            WHERE image = ?3 AND name = ?4 AND repair_until IS NOT NULL
            """, build, now, image, name)
    }

    func endRepairs() throws {
        try run("UPDATE tags SET repair_until = NULL WHERE repair_until IS NOT NULL")
    }
}

extension TagPlace {
    fileprivate static let query = """
        SELECT tags.image, name, repository, build, tags."commit", tags.digest, found_digest, found_at
        FROM tags JOIN builds ON builds.id = tags.build
        """

    fileprivate init(row: Row) throws {
        let since = try row.get("found_at", as: Date?.self)
        self.init(
            image: try row.get("image"), name: try row.get("name"), repository: try row.get("repository"),
            holder: TagHolder(
                build: try row.get("build"), commit: try row.get("commit"), digest: try row.get("digest")),
            found: try since.map { FoundTag(digest: try row.get("found_digest"), since: $0) })
    }
}
