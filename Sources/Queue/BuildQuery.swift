import Model

package struct BuildQuery: Sendable {
    package var repository: RepositoryName?
    package var states: [Build.State]
    package var ref: RefName?
    package var commit: CommitID?
    /// Builds with smaller numbers only.
    package var before: Build.ID?
    package var limit: Int

    package init(
        repository: RepositoryName? = nil, states: [Build.State] = [], ref: RefName? = nil, commit: CommitID? = nil,
        before: Build.ID? = nil, limit: Int = 50
    ) {
        self.repository = repository
        self.states = states
        self.ref = ref
        self.commit = commit
        self.before = before
        self.limit = limit
    }
}

package struct QueueLoad: Sendable, Equatable {
    package var pending: Int
    package var running: Int

    package init(pending: Int, running: Int) {
        self.pending = pending
        self.running = running
    }
}
