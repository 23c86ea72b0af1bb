import Foundation
import Model

/// The Dockerfile and the context that a rule means, found in a workspace.
///
/// Docker Hub's meaning: the Dockerfile is relative to the context; without a context it is relative to the
/// repository's root and its directory is the context; a context that is a file is the Dockerfile.
package struct BuildPaths: Sendable, Equatable {
    /// Absolute, without symbolic links, inside the workspace.
    package let dockerfile: String
    /// Absolute, without symbolic links, inside the workspace.
    package let context: String
    /// As people read it: `docker/Dockerfile`.
    package let dockerfileShown: String
    /// As people read it: `/` or `/docker`.
    package let contextShown: String

    /// - Throws: `CheckoutError.badPath`, whose sentence names the path and, for one that is missing, what is there.
    package static func resolve(rule: Rule, workspace: String) throws -> BuildPaths {
        let tree = try WorkspaceTree(workspace)
        let wanted = rule.dockerfile.map(trimmed).flatMap { $0.isEmpty ? nil : $0 }
        guard let context = rule.context, !context.isEmpty else {
            let path = wanted ?? "Dockerfile"
            let file = try dockerfile(path, from: tree.root, tree)
            // The directory as the rule writes it: a Dockerfile that is a link is still built where the link is.
            // Foundation's own way to cut it off ends the process for a name of one character.
            let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
            return try make(file, directory.isEmpty ? tree.root : tree.find(directory, from: tree.root), tree)
        }
        let path = trimmed(context)
        let place = path.isEmpty ? tree.root : try tree.find(path, from: tree.root, as: "the build context")
        if tree.isDirectory(place) {
            return try make(dockerfile(wanted ?? "Dockerfile", from: place, tree), place, tree)
        }
        if let wanted, try tree.find(wanted, from: parent(of: place)) != place {
            throw CheckoutError.badPath(
                "the build context \"\(context)\" is a file and so names the Dockerfile, but the rule names another, \"\(wanted)\": leave one of them out"
            )
        }
        return try make(place, parent(of: place), tree)
    }

    private static func make(_ dockerfile: String, _ context: String, _ tree: WorkspaceTree) throws -> BuildPaths {
        try refuseIgnoreFiles(dockerfile, context, tree)
        return BuildPaths(
            dockerfile: dockerfile, context: context, dockerfileShown: tree.shown(dockerfile),
            contextShown: "/" + tree.shown(context))
    }

    /// Builders read these with the service's rights, and through links, /dev/zero to its end.
    private static func refuseIgnoreFiles(_ dockerfile: String, _ context: String, _ tree: WorkspaceTree) throws {
        let places = [context + "/", dockerfile]
        for name in [".dockerignore", ".containerignore"] {
            for place in places.map({ $0 + name }) where tree.isLink(place) {
                _ = try tree.find(tree.shown(place), from: tree.root, as: "the ignore file")
            }
        }
    }

    private static func dockerfile(_ path: String, from directory: String, _ tree: WorkspaceTree) throws -> String {
        let place = try tree.find(path, from: directory, as: "the Dockerfile")
        guard tree.isDirectory(place) else { return place }
        throw CheckoutError.badPath(
            "the Dockerfile \"\(path)\" is a directory: write \"\(path)/Dockerfile\", or make it the build context")
    }

    private static func parent(of path: String) -> String {
        (path as NSString).deletingLastPathComponent
    }

    /// Without slashes at either end: a leading one means the repository's root, or the context.
    private static func trimmed(_ path: String) -> String {
        path.trimmingCharacters(in: CharacterSet(charactersIn: "/"))
    }
}
