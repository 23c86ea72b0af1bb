import CGit2
import Foundation
import Model
import Platform

/// What an engine would see of a commit, read from the mirror without a checkout.
package enum BuildContext: Sendable, Equatable {
    case known(Known)
    /// Why it can't be known, in words.
    case doubtful(String)

    package struct Known: Sendable, Equatable {
        package var dockerfile: Data
        /// Over path, mode and object id of each entry of the context that the engine would see.
        package var digest: Digest
        /// What of the commit an engine needs, for `checkOut(_:into:only:)`; nil is everything.
        package var paths: [String]?
    }
}

extension Mirror {
    /// What the engine would see of a commit for a rule.
    ///
    /// - Throws: `CheckoutError.badPath` with the same sentence as a checkout would; else as `fetch(_:commit:)`.
    package func context(of commit: CommitID, for rule: Rule, engine: BuilderKind) async throws -> BuildContext {
        try await withRepository(
            repair: { repository, call in try self.bring(commit, repository, call) },
            { repository, call in
                let root = try self.tree(of: commit, repository)
                do {
                    return .known(
                        try self.known(CommitTree(repository: repository, tree: root.pointer), rule, engine, call))
                } catch let doubt as Doubt {
                    return .doubtful(doubt.why.visible)
                }
            })
    }

    private func known(
        _ tree: CommitTree, _ rule: Rule, _ engine: BuilderKind, _ call: NetworkCall
    ) throws -> BuildContext.Known {
        let paths = try BuildPaths.resolve(rule: rule, in: tree)
        guard let dockerfile = try tree.file(paths.dockerfile, as: "the Dockerfile") else {
            throw try tree.missing(paths.dockerfileShown, paths.dockerfile, "the Dockerfile")
        }
        let context = try tree.id(paths.context)
        var parts = ["context 1", context.hex]
        // Buildah's `RUN --mount` reads what is left out, too.
        let isMounted =
            [.buildah, .podman].contains(engine) && dockerfile.range(of: Data("--mount".utf8)) != nil
        if !isMounted, let text = try ignoreFile(tree, paths, engine) {
            var walk = ContextWalk(
                tree.repository, ignoring: text, engine: engine, dockerfile: paths.dockerfileInContext,
                known: seenTrees, call)
            parts = ["context 1"] + (try walk.seen(of: context))
        }
        parts += try emptySubmodules(tree, paths)
        // With their lengths, so that no two lists read alike.
        let text = parts.map { "\($0.utf8.count) \($0)\n" }.joined()
        return BuildContext.Known(
            dockerfile: dockerfile, digest: try Digest("sha256:" + Crypto.sha256(Data(text.utf8)).hex),
            paths: paths.context == tree.root
                ? nil
                : ([paths.context, paths.dockerfile] + BuildPaths.ignoreFiles(paths.dockerfile, paths.context))
                    .map(tree.shown))
    }

    /// The text of the one that counts; nil where there is none.
    private func ignoreFile(_ tree: CommitTree, _ paths: BuildPaths, _ engine: BuilderKind) throws -> String? {
        let names = IgnoreFile.names(
            dockerfile: paths.dockerfileShown, context: String(paths.contextShown.dropFirst()), engine: engine)
        for name in names {
            guard let bytes = try tree.file("/" + name, as: "the ignore file") else { continue }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Doubt(why: "the ignore file \"\(name)\" is not UTF-8")
            }
            return text
        }
        return nil
    }

    /// Submodules of the context that `.gitmodules`, which may lie outside of it, says to leave empty.
    private func emptySubmodules(_ tree: CommitTree, _ paths: BuildPaths) throws -> [String] {
        guard let text = try tree.file("/.gitmodules", as: "the file") else { return [] }
        return try GitModules(String(decoding: text, as: UTF8.self)).leftOut.filter {
            "/\($0)".hasPrefix(paths.context + "/") ? try tree.isSubmodule("/\($0)") : false
        }
    }
}
