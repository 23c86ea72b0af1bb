import Foundation
import Model

/// What images are made of.
extension Database {
    func inputs(_ hold: Hold, _ inputs: BuildInputs, reuse: String) throws {
        try guarded(hold) {
            try count(
                """
                UPDATE builds SET input_key = ?, input_doubt = ?, reuse = ?, reused = NULL
                WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ?
                """, inputs.key, inputs.doubt, reuse, hold.build, hold.attempt)
        }
        try run("DELETE FROM build_bases WHERE build = ?", hold.build)
        for base in inputs.bases {
            try run(
                "INSERT INTO build_bases (build, image, name, digest) VALUES (?, ?, ?, ?)",
                hold.build, base.image, base.tag, base.digest)
        }
    }

    func askBases(of build: Build.ID) throws -> Later<BaseImage> {
        try ask("SELECT image, name, digest FROM build_bases WHERE build = ? ORDER BY image, name", build) {
            BaseImage(image: try $0.get("image"), tag: try $0.get("name"), digest: try $0.get("digest"))
        }
    }

    func reusable(_ key: Digest, in image: ImageName, within age: Duration?) throws -> Build? {
        let since = try age.map { try now.addingTimeInterval(-$0.seconds) }
        let id = try first(
            """
            SELECT id FROM builds INDEXED BY builds_by_key
            WHERE image = ?1 AND input_key = ?2 AND state = 'finished' AND (?3 IS NULL OR made_at >= ?3)
            ORDER BY id DESC LIMIT 1
            """, image, key, since
        ) { try $0.get("id", as: Build.ID.self) }
        return try id.map(existing)
    }

    /// Whether a commit tag of `owner` names the image of `other` for ever: what has not finished may yet push another.
    func names(_ owner: Build.ID, imageOf other: Build.ID) throws -> Bool {
        try first(
            """
            SELECT 1 AS same FROM builds AS owner, builds AS other
            WHERE owner.id = ? AND other.id = ? AND owner.image = other.image AND owner.digest = other.digest
                AND owner.state = 'finished'
            """, owner, other
        ) { _ in true } ?? false
    }

    func basesInUse() throws -> [BaseInUse] {
        let uses = try all(
            """
            SELECT build_bases.image, build_bases.name, build_bases.build, build_bases.digest
            FROM (SELECT max(build) AS build FROM tags CROSS JOIN builds ON builds.id = tags.build
                GROUP BY builds.repository, builds.ref, builds.image, \(dialect.withoutNumber("builds.rule"))) AS held
            JOIN build_bases ON build_bases.build = held.build
            ORDER BY build_bases.image, build_bases.name, build_bases.build
            """
        ) { row in
            BaseInUse(
                image: try row.get("image"), tag: try row.get("name"),
                users: [BaseInUse.User(build: try row.get("build"), digest: try row.get("digest"))])
        }
        return uses.reduce(into: []) { list, use in
            if let last = list.last, last.image == use.image, last.tag == use.tag {
                list[list.count - 1].users += use.users
            } else {
                list.append(use)
            }
        }
    }
}
