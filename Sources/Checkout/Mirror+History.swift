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
}
