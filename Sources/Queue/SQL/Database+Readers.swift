import Foundation
import Model

extension Database {
    func build(_ id: Build.ID) throws -> Build? { try builds([id]).first }

    /// In the order of `ids`, without those that aren't there.
    func builds(_ ids: [Build.ID]) throws -> [Build] {
        let asked = try ids.map { id in
            let build = try ask("SELECT \(Build.columns) FROM builds WHERE id = ?", id) { [rules] in
                try Build(row: $0, rules: rules)
            }
            return (build, try askLists(of: id, withBases: true))
        }
        return try asked.compactMap { build, lists in try build.first.map { try with(lists, $0) } }
    }

    /// - Throws: `StoreError` where there is no such build: a number that the database itself gave must lead to one.
    func existing(_ id: Build.ID) throws -> Build {
        guard let build = try build(id) else {
            throw StoreError(.unreadable, "build \(id) is missing", operation: operation, database: path)
        }
        return build
    }

    func withLists(_ builds: [Build]) throws -> [Build] {
        try builds.map { ($0, try askLists(of: $0.id, withBases: $0.inputs != nil)) }
            .map { build, lists in try with(lists, build) }
    }

    private typealias Lists = (tags: Later<BuildTag>, bases: Later<BaseImage>?)

    private func askLists(of build: Build.ID, withBases: Bool) throws -> Lists {
        let tags = try ask("SELECT name, moved, reason FROM build_tags WHERE build = ? ORDER BY position", build) {
            BuildTag(name: try $0.get("name"), moved: try $0.get("moved"), reason: try $0.get("reason"))
        }
        return (tags, withBases ? try askBases(of: build) : nil)
    }

    private func with(_ lists: Lists, _ build: Build) throws -> Build {
        var build = build
        build.tags = try lists.tags.rows
        if build.inputs != nil { build.inputs?.bases = try lists.bases?.rows ?? [] }
        return build
    }

    func holder(of name: Tag, image: ImageName) throws -> TagHolder? { try askHolder(of: name, image: image).first }

    func askHolder(of name: Tag, image: ImageName) throws -> Later<TagHolder> {
        try ask(#"SELECT build, "commit", digest FROM tags WHERE image = ? AND name = ?"#, image, name) {
            TagHolder(build: try $0.get("build"), commit: try $0.get("commit"), digest: try $0.get("digest"))
        }
    }

    func load() throws -> QueueLoad {
        let row = try first(
            """
            SELECT coalesce((SELECT builds FROM pending WHERE repository = ''), 0) AS pending,
                (SELECT count(*) FROM builds INDEXED BY builds_running WHERE lease_until IS NOT NULL AND worker IS NOT NULL) AS running
            """
        ) { QueueLoad(pending: try $0.get("pending"), running: try $0.get("running")) }
        return row ?? QueueLoad(pending: 0, running: 0)
    }

    /// Takes more room than a page and gives it back, so that a full database can't answer out of a page it has.
    func probe() throws {
        let bytes = Data((0..<16384).map { _ in UInt8.random(in: 0...255) })
        try run("INSERT INTO probe (id, bytes) VALUES (1, ?)", bytes)
        try run("DELETE FROM probe")
    }
}

extension Build {
    static let columns = """
        id, repository, state, ref, "commit", message, author, rule, captures, image, commit_tag, digest, cause_kind,
        cause_host, cause_detail, delivery, attempt, attempt - excused AS tries, retry_at, built, stop, successor,
        reused, failure_kind, failure_stage, failure_message, reason, input_key, input_doubt, reuse, fresh, created_at,
        started_at, pushing_at, finished_at
        """

    /// A row of `columns`, without the tags and the images that it is built on.
    init(row: Row, rules: RuleCache) throws {
        var failure: Failure?
        if let kind = try row.get("failure_kind", as: Failure.Kind?.self) {
            failure = Failure(kind, try row.get("failure_stage"), try row.get("failure_message"))
        }
        let key = try row.get("input_key", as: Digest?.self)
        let doubt = try row.get("input_doubt", as: String?.self)
        self.init(
            id: try row.get("id"), repository: try row.get("repository"), state: try row.get("state"),
            ref: try row.get("ref"), commit: try row.get("commit"), message: try row.get("message"),
            author: try row.get("author"), rule: try rules.rule(row.get("rule")),
            captures: try row.get("captures", as: JSON<[String]>.self).content, image: try row.get("image"),
            commitTag: try row.get("commit_tag"), digest: try row.get("digest"),
            cause: Cause(
                try row.get("cause_kind"), host: try row.get("cause_host"), delivery: try row.get("delivery"),
                detail: try row.get("cause_detail")),
            attempt: try row.get("attempt"), reused: try row.get("reused"), failure: failure,
            tries: try row.get("tries"), retryAt: try row.get("retry_at"), built: try row.get("built"),
            stop: try row.get("stop"), successor: try row.get("successor"), reason: try row.get("reason"),
            inputs: key == nil && doubt == nil ? nil : BuildInputs(key: key, doubt: doubt),
            reuse: try row.get("reuse"), isFresh: try row.get("fresh"), createdAt: try row.get("created_at"),
            startedAt: try row.get("started_at"),
            pushingAt: try row.get("pushing_at"), finishedAt: try row.get("finished_at"))
    }
}
