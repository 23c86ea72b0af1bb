import Foundation

/// A directory of one test, gone when nothing holds it any more.
package final class TemporaryDirectory: Sendable {
    /// Absolute, without symbolic links.
    package let path: String

    package init() throws {
        let path = NSTemporaryDirectory() + "/slipway-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard let real = realpath(path, nil) else { throw CocoaError(.fileNoSuchFile) }
        defer { free(real) }
        self.path = String(cString: real)
    }

    deinit {
        // Nothing can be done about a leftover here, and the system clears its temporary directory.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A path in the directory.
    package subscript(_ name: String) -> String {
        "\(path)/\(name)"
    }

    /// Writes a file, with the directories above it.
    ///
    /// - Returns: its path.
    @discardableResult
    package func write(_ text: String, to name: String, mode: Int = 0o644) throws -> String {
        let file = self[name]
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}
