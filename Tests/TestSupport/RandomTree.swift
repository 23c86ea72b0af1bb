import Foundation

/// A repository that is changed at random, in ways that a build's context may see or not.
package struct RandomTree: Sendable {
    private static let folders = ["", "", "a/", "a/b/", "a/b/c/", "docs/", "ü λ/", ".hidden/", "app/", "app/src/"]
    private static let files = ["x.md", "y.c", "z", ".env", "README.md", "ö.c"]
    private static let patterns = [
        "*.md", "**/*.md", "a", "a/b", "docs/*", "!docs/README.md", "**/.env", "*", "!a", "!app", "!app/src/y.c", "ü λ",
        "!**/*.c", ".hidden", "a/**/z", "# nothing", "app/src", "!a/b/c/x.md", "**", "Dockerfile", ".dockerignore",
    ]

    private let repository: GitRepository

    /// - Parameter repository: with a work tree and a commit.
    package init(_ repository: GitRepository) {
        self.repository = repository
    }

    /// One random change of the work tree.
    ///
    /// - Parameter commits: to whose trees it may go back.
    package func change(_ commits: [String], _ random: inout Random) async throws {
        let name = random.pick(Self.folders) + random.pick(Self.files)
        switch random.below(12) {
        case 0...3:
            try clear(name)
            try write(name, random.pick(["1", "2", "3"]))
        case 4:
            try clear(name)
            try FileManager.default.createSymbolicLink(
                atPath: path(name), withDestinationPath: random.pick(["1", "/etc/passwd", "../z"]))
        case 5:
            try clear(name)
            try write(name, "1")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path(name))
        case 6:
            if FileManager.default.fileExists(atPath: path(name)) { try remove(name) }
        case 7, 8:
            let lines = (0..<random.below(5)).map { _ in random.pick(Self.patterns) }
            let file = random.pick(["", "app/"]) + random.pick([".dockerignore", ".dockerignore", ".containerignore"])
            try write(file, lines.joined(separator: "\n"))
        case 9, 10:
            // The same tree at another path, where other patterns reach it.
            let (from, to) = (random.pick(["a", "a/b", "docs"]), random.pick(["ü λ", ".hidden", "app/src", "docs"]))
            guard from != to, FileManager.default.fileExists(atPath: path(from)) else { break }
            try clear(to)
            try FileManager.default.copyItem(atPath: path(from), toPath: path(to))
        default:
            try await repository.git("read-tree", "-u", "--reset", random.pick(commits))
        }
    }

    private func path(_ name: String) -> String { "\(repository.path)/\(name)" }

    private func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    private func write(_ name: String, _ text: String) throws {
        try makeFolder(of: name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }

    /// Makes way for something new: the folder may be a file by now.
    private func clear(_ name: String) throws {
        func type(_ name: String) -> FileAttributeType? {
            (try? FileManager.default.attributesOfItem(atPath: path(name)))?[.type] as? FileAttributeType
        }
        var above = name.split(separator: "/").dropLast()
        while !above.isEmpty {
            let folder = above.joined(separator: "/")
            if let type = type(folder), type != .typeDirectory { try remove(folder) }
            above = above.dropLast()
        }
        if type(name) != nil { try remove(name) }
        try makeFolder(of: name)
    }

    private func makeFolder(of name: String) throws {
        let folder = name.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: path(folder), withIntermediateDirectories: true)
    }
}
