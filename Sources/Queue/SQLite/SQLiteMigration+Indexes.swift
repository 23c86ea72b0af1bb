extension SQLiteMigration {
    /// Indexes of what lives and of what has ended, each by itself: intake writes only to the former, which stay small.
    static let fourth = """
        DROP INDEX builds_by_state;
        DROP INDEX builds_alive;
        DROP INDEX builds_pending;
        DROP INDEX builds_by_repository_state;
        DROP INDEX builds_by_ref;
        CREATE INDEX builds_living ON builds (state, retry_at) WHERE finished_at IS NULL;
        CREATE INDEX builds_living_of_ref ON builds (repository, ref) WHERE finished_at IS NULL;
        -- For lists of a state or ref that few of many builds have.
        CREATE INDEX builds_ended ON builds (state) WHERE finished_at IS NOT NULL;
        CREATE INDEX builds_ended_of_repository ON builds (repository, state) WHERE finished_at IS NOT NULL;
        CREATE INDEX builds_ended_of_ref ON builds (repository, ref) WHERE finished_at IS NOT NULL;
        """
}
