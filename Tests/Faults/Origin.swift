import Foundation
import TestSupport

/// One bare repository, and what was pushed to it: the truth that the service is held against.
actor Origin {
    struct Commit {
        var parent: String?
        /// Whether its Dockerfile can be built.
        var isGood: Bool
    }

    /// A ref that now points elsewhere.
    struct Change: Sendable {
        var repository: String
        var ref: String
        var before: String?
        var after: String
    }

    /// `acme/one`.
    nonisolated let name: String
    /// What the service has as its source: by default a link, so that it can be away while pushes go on.
    nonisolated let source: String
    private let folder: String
    private var commits: [String: Commit] = [:]
    private(set) var heads: [String: String] = [:]
    private var count = 0

    /// - Parameter address: what a Git server of `<folder>/git` puts before the repositories' names.
    init(_ name: String, in folder: String, address: String? = nil) async throws {
        self.name = name
        let base = name.replacing("/", with: "-")
        self.folder = "\(folder)/git/\(base).git"
        let link = "\(folder)/sources/\(base).git"
        source = address.map { "\($0)\(base).git" } ?? link
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder + "/sources", withIntermediateDirectories: true)
        try await Command.run("git", ["init", "-q", "--bare", "-b", "main", "."], in: self.folder)
        try await Command.run("git", ["config", "gc.auto", "0"], in: self.folder)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: self.folder)
    }

    /// - Parameter isAway: whether the source can't be reached just now.
    nonisolated func isAway(_ isAway: Bool) throws {
        let (from, to) = isAway ? (source, source + ".away") : (source + ".away", source)
        guard FileManager.default.fileExists(atPath: from) else { return }
        try FileManager.default.moveItem(atPath: from, toPath: to)
    }

    var branches: [String] { heads.keys.filter { $0.hasPrefix("refs/heads/") }.sorted() }
    var tags: [String] { heads.keys.filter { $0.hasPrefix("refs/tags/") }.sorted() }

    func isGood(_ commit: String) -> Bool { commits[commit]?.isGood ?? false }
    func isKnown(_ commit: String) -> Bool { commits[commit] != nil }

    /// Whether the first is the second, or came before it.
    func isAncestor(_ older: String, of newer: String) -> Bool {
        var commit: String? = newer
        while let id = commit {
            if id == older { return true }
            commit = commits[id]?.parent
        }
        return false
    }

    /// The commit so many steps before another, or the first.
    func ancestor(of commit: String, steps: Int) -> String {
        var commit = commit
        for _ in 0..<steps {
            guard let parent = commits[commit]?.parent else { break }
            commit = parent
        }
        return commit
    }

    /// Points a ref at a new commit on top of another; whatever it pointed at before is left.
    func push(_ ref: String, onto parent: String?, isGood: Bool) async throws -> Change {
        count += 1
        let text = "\(name) \(count)"
        let dockerfile = "FROM scratch\nCOPY hello /hello\n" + (isGood ? "" : "COPY missing /missing\n")
        var stream = "commit \(ref)\nmark :1\n"
        for who in ["author", "committer"] { stream += "\(who) Ada Lovelace <ada@example.com> 1700000000 +0000\n" }
        stream += "data \(text.utf8.count)\n\(text)\n"
        if let parent { stream += "from \(parent)\n" }
        for (file, content) in [("Dockerfile", dockerfile), ("hello", text)] {
            stream += "M 100644 inline \(file)\ndata \(content.utf8.count)\n\(content)\n"
        }
        stream += "get-mark :1\ndone\n"
        let said = try await Command.run(
            "git", ["fast-import", "--quiet", "--force", "--done"], in: folder, input: Data(stream.utf8))
        guard let match = said.firstMatch(of: /[0-9a-f]{40}/) else { throw Found("git named no commit: \(said)") }
        let id = String(match.0)
        commits[id] = Commit(parent: parent, isGood: isGood)
        return point(ref, to: id)
    }

    /// Points a ref at a commit that is there.
    func move(_ ref: String, to commit: String) async throws -> Change {
        try await Command.run("git", ["update-ref", ref, commit], in: folder)
        return point(ref, to: commit)
    }

    private func point(_ ref: String, to commit: String) -> Change {
        defer { heads[ref] = commit }
        return Change(repository: name, ref: ref, before: heads[ref], after: commit)
    }
}
