import Foundation

/// Where a rule's paths are looked for: a workspace, or a commit in the mirror.
///
/// The paths come from strangers: none may lead out of it.
protocol PathTree {
    /// The place that all others begin with; no slash at its end.
    var root: String { get }

    /// Follows one name.
    ///
    /// - Parameters:
    ///   - next: the name, at a place that was found before.
    ///   - path: what is being looked for, and `what` what that is: for the sentence.
    /// - Returns: the place, without symbolic links.
    /// - Throws: `CheckoutError.badPath` where it leads nowhere, or out.
    func enter(_ next: String, of path: String, as what: String) throws -> String
    func isDirectory(_ place: String) throws -> Bool
    func isLink(_ place: String) throws -> Bool
    /// What there is, from the root: no more than so many.
    func paths(atMost most: Int) throws -> [String]
}

extension PathTree {
    /// Follows a path component by component.
    ///
    /// - Parameter directory: where the path starts: a place that was found before.
    /// - Returns: the place, without symbolic links.
    /// - Throws: `CheckoutError.badPath` where the path leaves the tree, through `..` or a link, or leads nowhere.
    func find(_ path: String, from directory: String, as what: String = "the path") throws -> String {
        var place = directory
        for part in path.split(separator: "/") where part != "." {
            if part == ".." {
                guard place != root else {
                    throw CheckoutError.badPath("\(what) \"\(path)\" leaves the repository through \"..\"")
                }
                place = parent(of: place)
            } else {
                place = try enter("\(place)/\(part)", of: path, as: what)
            }
        }
        return place
    }

    /// Relative to the root; empty for the root.
    func shown(_ place: String) -> String {
        String(Substring(place.utf8.dropFirst(root.utf8.count + 1)))
    }

    /// Empty where there is none. (`NSString.deletingLastPathComponent` crashes on a single character.)
    func parent(of place: String) -> String {
        String(Substring(place.utf8[..<(place.utf8.lastIndex(of: UInt8(ascii: "/")) ?? place.startIndex)]))
    }

    /// For a path that is not there, and for a Dockerfile with what is there instead.
    func missing(_ path: String, _ place: String, _ what: String) throws -> CheckoutError {
        var hint = ""
        if what == "the Dockerfile" {
            let found = try dockerfiles()
            hint =
                found.isEmpty
                ? "; the repository has no Dockerfile at all"
                : "; the repository has \(found.prefix(3).map { "\"\($0)\"" }.joined(separator: ", "))\(found.count > 3 ? " and others" : "")"
        }
        return .badPath("\(what) \"\(path)\" is not in the repository (there is no \"\(shown(place))\")\(hint)")
    }

    /// What looks like a Dockerfile, nearest to the root first; a look at 20,000 entries must do.
    private func dockerfiles() throws -> [String] {
        let found = try paths(atMost: 20_000).filter { path in
            let name = (path as NSString).lastPathComponent.lowercased()
            return name.hasPrefix("dockerfile") || name.hasSuffix(".dockerfile") || name == "containerfile"
        }
        // Those of the usual name first, then those near the top.
        func rank(_ path: String) -> (Int, Int, String) {
            (path.split(separator: "/").last == "Dockerfile" ? 0 : 1, path.split(separator: "/").count, path)
        }
        return found.sorted { rank($0) < rank($1) }
    }
}
