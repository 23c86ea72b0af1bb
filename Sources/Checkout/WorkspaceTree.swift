import Foundation
import Model

/// A checked-out workspace; a symbolic link in it is followed as far as it stays inside.
struct WorkspaceTree: PathTree {
    /// Absolute, without symbolic links.
    let root: String

    init(_ workspace: String) throws {
        guard let real = Self.real(workspace) else {
            throw CheckoutError.storage("can't find the workspace \(workspace): \(String(cString: strerror(errno)))")
        }
        root = real
    }

    func enter(_ next: String, of path: String, as what: String) throws -> String {
        guard let real = Self.real(next) else { throw try absent(path, next, what, errno) }
        guard contains(real) else {
            throw CheckoutError.badPath(
                "\(what) \"\(path)\" leaves the repository through the symbolic link \"\(shown(next))\"")
        }
        return real
    }

    func isDirectory(_ place: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    func isLink(_ place: String) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: place)) != nil
    }

    func paths(atMost most: Int) -> [String] {
        guard let entries = FileManager.default.enumerator(atPath: root) else { return [] }
        var found: [String] = []
        for case let path as String in entries {
            if found.count == most { break }
            found.append(path)
        }
        return found
    }

    private func contains(_ place: String) -> Bool {
        place == root || place.hasPrefix(root + "/")
    }

    private static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func absent(_ path: String, _ place: String, _ what: String, _ error: Int32) throws -> CheckoutError {
        if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place) {
            return .badPath(
                error == ELOOP
                    ? "\(what) \"\(path)\" goes round in a circle of symbolic links at \"\(shown(place))\""
                    : "\(what) \"\(path)\" goes through the symbolic link \"\(shown(place))\", whose target \"\(target.excerpt())\" is not in the repository"
            )
        }
        guard error == ENOENT || error == ENOTDIR else {
            return .storage("can't look at \(what) \"\(path)\": \(String(cString: strerror(error)))")
        }
        return try missing(path, place, what)
    }
}
