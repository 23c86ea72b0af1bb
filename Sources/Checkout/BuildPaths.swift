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

    /// From the context's root; nil where it lies outside of it.
    var dockerfileInContext: String? {
        dockerfile.hasPrefix(context + "/") ? String(Substring(dockerfile.utf8.dropFirst(context.utf8.count + 1))) : nil
    }

    /// - Throws: `CheckoutError.badPath`, whose sentence names the path and, for one that is missing, what is there.
    package static func resolve(rule: Rule, workspace: String) throws -> BuildPaths {
        try resolve(rule: rule, in: WorkspaceTree(workspace))
    }

    static func resolve(rule: Rule, in tree: some PathTree) throws -> BuildPaths {
        let wanted = rule.dockerfile.map(trimmed).flatMap { $0.isEmpty ? nil : $0 }
        guard let context = rule.context, !context.isEmpty else {
            let path = wanted ?? "Dockerfile"
            let file = try dockerfile(path, from: tree.root, tree)
            // The directory as the rule writes it: a Dockerfile that is a link is still built where the link is.
            let directory = tree.parent(of: path)
            return try make(file, directory.isEmpty ? tree.root : tree.find(directory, from: tree.root), tree)
        }
        let path = trimmed(context)
        let place = path.isEmpty ? tree.root : try tree.find(path, from: tree.root, as: "the build context")
        if try tree.isDirectory(place) {
            return try make(dockerfile(wanted ?? "Dockerfile", from: place, tree), place, tree)
        }
        if let wanted, try tree.find(wanted, from: tree.parent(of: place)) != place {
            throw CheckoutError.badPath(
                "the build context \"\(context)\" is a file and so names the Dockerfile, but the rule names another, \"\(wanted)\": leave one of them out"
            )
        }
        return try make(place, tree.parent(of: place), tree)
    }

    private static func make(_ dockerfile: String, _ context: String, _ tree: some PathTree) throws -> BuildPaths {
        try refuseIgnoreFiles(dockerfile, context, tree)
        return BuildPaths(
            dockerfile: dockerfile, context: context, dockerfileShown: tree.shown(dockerfile),
            contextShown: "/" + tree.shown(context))
    }

    /// Builders read these with the service's rights, and through links, /dev/zero to its end.
    private static func refuseIgnoreFiles(_ dockerfile: String, _ context: String, _ tree: some PathTree) throws {
        for place in ignoreFiles(dockerfile, context) where try tree.isLink(place) {
            _ = try tree.find(tree.shown(place), from: tree.root, as: "the ignore file")
        }
    }

    /// Where any of the engines looks for one.
    static func ignoreFiles(_ dockerfile: String, _ context: String) -> [String] {
        [".dockerignore", ".containerignore"].flatMap { ["\(context)/\($0)", dockerfile + $0] }
    }

    private static func dockerfile(_ path: String, from directory: String, _ tree: some PathTree) throws -> String {
        let place = try tree.find(path, from: directory, as: "the Dockerfile")
        guard try tree.isDirectory(place) else { return place }
        throw CheckoutError.badPath(
            "the Dockerfile \"\(path)\" is a directory: write \"\(path)/Dockerfile\", or make it the build context")
    }

    /// Without slashes at either end: a leading one means the repository's root, or the context.
    private static func trimmed(_ path: String) -> String {
        path.trimmingCharacters(in: CharacterSet(charactersIn: "/"))
    }
}
