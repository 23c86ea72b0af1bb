import Foundation
import Model

/// A bare repository and a work tree that pushes to it, driven by the real `git`.
package struct GitProject: Sendable {
    /// The bare one, which is what gets cloned.
    package let bare: String
    package let tree: String

    package static let busybox = "/bin/busybox"

    package init(in folder: String, name: String = "shop") throws {
        bare = "\(folder)/\(name).git"
        tree = "\(folder)/\(name)"
        try Self.git(["init", "-q", "--bare", "-b", "main", bare], in: folder)
        try Self.git(["init", "-q", "-b", "main", tree], in: folder)
        try git("remote", "add", "origin", bare)
    }

    /// The environment of every git call: no one's own settings, a fixed author.
    package static let environment = [
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "Ada Lovelace", "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada Lovelace", "GIT_COMMITTER_EMAIL": "ada@example.com", "GIT_TERMINAL_PROMPT": "0",
    ]

    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }

    @discardableResult
    package static func git(_ arguments: [String], in folder: String) throws -> String {
        let process = Program()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/git")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = environment
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.runUnmasked()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failed(description: "git \(arguments.joined(separator: " ")): \(output)")
        }
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @discardableResult
    package func git(_ arguments: String...) throws -> String {
        try Self.git(arguments, in: tree)
    }

    package func write(_ path: String, _ text: String) throws {
        let file = URL(fileURLWithPath: tree).appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// A program for images that begin with `FROM scratch`.
    package func addBusybox() throws {
        try FileManager.default.createDirectory(atPath: tree + "/bin", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Self.busybox, toPath: tree + "/bin/busybox")
    }

    /// Commits everything.
    ///
    /// - Returns: the commit's id.
    @discardableResult
    package func commit(_ message: String = "A change") throws -> String {
        try git("add", "-A")
        try git("commit", "-q", "--allow-empty", "-m", message)
        return try git("rev-parse", "HEAD")
    }

    /// Pushes HEAD to a branch or tag.
    ///
    /// - Returns: what git and the hooks said.
    @discardableResult
    package func push(_ ref: String = "refs/heads/main", force: Bool = false) throws -> String {
        try git("push", force ? "-f" : "-q", "origin", "HEAD:\(ref)")
    }
}
