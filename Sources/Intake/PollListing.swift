import Model
import Queue

/// The branches and tags of a source at one moment, and what of them nobody told.
package struct PollListing: Sendable {
    /// The name of the branch that HEAD names; nil where it names none.
    package let defaultBranch: String?
    package let refs: [RefName: CommitID]

    package init(defaultBranch: String?, refs: [RefName: CommitID]) {
        self.defaultBranch = defaultBranch
        self.refs = refs
    }

    /// The pushes that made the source what it is, as far as nobody told of them, in the order of their names.
    ///
    /// - Parameters:
    ///   - seen: where the refs were at the look before.
    ///   - told: builds of pushes that were told or found, newest first, made before the source was asked.
    func pushes(since seen: [RefName: CommitID], told: [Build]) -> [Push] {
        let told = Dictionary(grouping: told, by: \.ref)
        return refs.compactMap { ref, commit -> Push? in
            let told = told[ref] ?? []
            guard commit != told.first?.commit else { return nil }
            if commit == seen[ref] {
                // It looks as if nothing had happened; but a push away from here was told meanwhile, and one back not.
                guard told.contains(where: { $0.commit == commit }) else { return nil }
            }
            return Push(
                ref: ref, commit: commit, before: told.first?.commit ?? seen[ref], defaultBranch: defaultBranch)
        }.sorted { $0.ref.text < $1.ref.text }
    }
}

/// A source's host that takes no more requests for now (HTTP status 429).
package struct HostBusy: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
