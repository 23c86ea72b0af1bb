import CGit2
import Model

extension Mirror {
    /// Whether a commit is in another's history, or is the same.
    ///
    /// - Returns: nil where the mirror does not hold one of them.
    package func isAncestor(_ older: CommitID, of newer: CommitID) async throws -> Bool? {
        try await withRepository(
            repair: { repository, call in
                for commit in [older, newer] {
                    do {
                        try self.bring(commit, repository, call)
                    } catch CheckoutError.commitMissing {
                        // It is then not held, as the answer says.
                    }
                }
            },
            { repository, _ in
                guard try self.holds(older, repository), try self.holds(newer, repository) else { return nil }
                return try self.isAncestor(older, newer, repository)
            })
    }

    /// - Returns: nil where `older` is not in the mirror.
    func isAncestor(_ older: CommitID, _ newer: CommitID, _ repository: OpaquePointer) throws -> Bool? {
        if older == newer { return true }
        guard try holds(older, repository) else { return nil }
        var (old, new) = (try git_oid(older), try git_oid(newer))
        return try git("look for \(older) in the history of \(newer)") {
            git_graph_descendant_of(repository, &new, &old)
        } == 1
    }

    /// What a commit changed since another that it came after.
    package enum Change: Sendable, Equatable {
        /// The older is not in the newer's history, or the mirror does not hold one of them.
        case unrelated
        /// No wanted file.
        case nothing
        /// A wanted file that differs, is new or is gone: the first in Git's order.
        case file(String)
    }

    /// Compares two commits' trees, whatever came in between; no file's content is read.
    ///
    /// A file that was renamed is gone under its old name and new under its new one. A submodule is the one path at
    /// which it lies.
    ///
    /// - Parameter isWanted: is asked for paths from the repository's root.
    /// - Throws: as `fetch(_:commit:)`.
    package func change(
        from older: CommitID, to newer: CommitID, where isWanted: @Sendable (String) -> Bool
    ) async throws -> Change {
        try await withRepository(
            // With all its history: where the older is not in there, they are unrelated.
            repair: { repository, call in try self.bring(newer, repository, call) },
            { repository, _ in
                guard try self.holds(newer, repository), try self.isAncestor(older, newer, repository) == true else {
                    return .unrelated
                }
                return try self.change(older, newer, repository, isWanted)
            })
    }

    private func change(
        _ older: CommitID, _ newer: CommitID, _ repository: OpaquePointer, _ isWanted: (String) -> Bool
    ) throws -> Change {
        let old = try tree(of: older, repository)
        let new = try tree(of: newer, repository)
        let diff = try GitHandle("compare commits \(older) and \(newer)", free: git_diff_free) {
            git_diff_tree_to_tree(&$0, repository, old.pointer, new.pointer, nil)
        }
        for i in 0..<git_diff_num_deltas(diff.pointer) {
            // Both sides have the path, as no renames are looked for.
            guard let path = git_diff_get_delta(diff.pointer, i)?.pointee.new_file.path else { continue }
            let file = String(decodingCString: path)
            if isWanted(file) { return .file(file) }
        }
        return .nothing
    }

    func tree(of commit: CommitID, _ repository: OpaquePointer) throws -> GitHandle {
        var oid = try git_oid(commit)
        let object = try GitHandle("read commit \(commit)", free: git_commit_free) {
            git_commit_lookup(&$0, repository, &oid)
        }
        return try GitHandle("read the tree of commit \(commit)", free: git_tree_free) {
            git_commit_tree(&$0, object.pointer)
        }
    }
}
