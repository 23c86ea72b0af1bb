import Foundation
import Model

/// A checked-out workspace, whose paths come from strangers: none may lead out of it.
struct WorkspaceTree {
    /// Absolute, without symbolic links.
    let root: String

    init(_ workspace: String) throws {
        guard let real = Self.real(workspace) else {
            throw CheckoutError.storage("can't find the workspace \(workspace): \(String(cString: strerror(errno)))")
        }
        root = real
    }

    /// Follows a path component by component.
    ///
    /// - Parameter directory: where the path starts; in the workspace, without symbolic links.
    /// - Returns: the place, absolute and without symbolic links.
    /// - Throws: `CheckoutError.badPath` where the path leaves the workspace, through `..` or a link, or leads nowhere.
    func find(_ path: String, from directory: String, as what: String = "the path") throws -> String {
        var place = directory
        for part in path.split(separator: "/") where part != "." {
            if part == ".." {
                guard place != root else {
                    throw CheckoutError.badPath("\(what) \"\(path)\" leaves the repository through \"..\"")
                }
                place = (place as NSString).deletingLastPathComponent
                continue
            }
            let next = "\(place)/\(part)"
            guard let real = Self.real(next) else { throw missing(path, next, what, errno) }
            guard contains(real) else {
                throw CheckoutError.badPath(
                    "\(what) \"\(path)\" leaves the repository through the symbolic link \"\(shown(next))\"")
            }
            place = real
        }
        return place
    }

    func isDirectory(_ place: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    func isLink(_ place: String) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: place)) != nil
    }

    /// Relative to the repository's root; empty for the root.
    func shown(_ place: String) -> String {
        place == root ? "" : String(place.dropFirst(root.count + 1))
    }

    private func contains(_ place: String) -> Bool {
        place == root || place.hasPrefix(root + "/")
    }

    private static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func missing(_ path: String, _ place: String, _ what: String, _ error: Int32) -> CheckoutError {
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
        let found = dockerfiles()
        let hint: String
        if what != "the Dockerfile" {
            hint = ""
        } else if found.isEmpty {
            hint = "; the repository has no Dockerfile at all"
        } else {
            hint =
                "; the repository has \(found.prefix(3).map { "\"\($0)\"" }.joined(separator: ", "))\(found.count > 3 ? " and others" : "")"
        }
        let looked = shown(place)
        return .badPath("\(what) \"\(path)\" is not in the repository (there is no \"\(looked)\")\(hint)")
    }

    /// What looks like a Dockerfile, nearest to the root first; a look at 20,000 entries must do.
    private func dockerfiles() -> [String] {
        guard let entries = FileManager.default.enumerator(atPath: root) else { return [] }
        var found: [String] = []
        var seen = 0
        for case let path as String in entries {
            seen += 1
            if seen > 20_000 { break }
            let name = (path as NSString).lastPathComponent.lowercased()
            if name.hasPrefix("dockerfile") || name.hasSuffix(".dockerfile") || name == "containerfile" {
                found.append(path)
            }
        }
        // Those of the usual name first, then those near the top.
        func rank(_ path: String) -> (Int, Int, String) {
            (path.split(separator: "/").last == "Dockerfile" ? 0 : 1, path.split(separator: "/").count, path)
        }
        return found.sorted { rank($0) < rank($1) }
    }
}
