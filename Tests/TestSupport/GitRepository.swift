import Foundation

/// A repository made by the `git` program, which no gitconfig of the machine reaches.
package struct GitRepository: Sendable {
    /// The program that tests ask for.
    package static var isPossible: Bool { Command.path(of: "git") != nil }

    package let path: String

    /// Makes an empty repository with a work tree and the branch `main`.
    package static func make(at path: String) async throws -> GitRepository {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let repository = GitRepository(path: path)
        try await repository.git("init", "-q", "-b", "main")
        return repository
    }

    package init(path: String) {
        self.path = path
    }

    @discardableResult
    package func git(_ arguments: String..., input: Data? = nil) async throws -> String {
        try await Command.run(
            "git", arguments, in: path,
            environment: [
                "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
                "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
                "GIT_AUTHOR_NAME": "Ada Example", "GIT_AUTHOR_EMAIL": "ada@example.com",
                "GIT_COMMITTER_NAME": "Ada Example",
                "GIT_COMMITTER_EMAIL": "ada@example.com", "GIT_AUTHOR_DATE": "1700000000 +0000",
                "GIT_COMMITTER_DATE": "1700000000 +0000",
            ], input: input)
    }

    /// Writes files and commits everything that changed.
    ///
    /// - Returns: the commit's id.
    @discardableResult
    package func commit(_ message: String = "Change", _ files: [String: String] = [:]) async throws -> String {
        for (name, text) in files {
            let file = "\(path)/\(name)"
            try FileManager.default.createDirectory(
                atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        }
        try await git("add", "-A")
        try await git("commit", "-q", "--allow-empty", "-m", message)
        return try await head()
    }

    package func head(_ name: String = "HEAD") async throws -> String {
        try await git("rev-parse", name)
    }
}
