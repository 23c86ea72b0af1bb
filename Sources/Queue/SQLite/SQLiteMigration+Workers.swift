extension SQLiteMigration {
    /// Who works, what builds ask of who works, and what one of many does. As on PostgreSQL, though here is only one.
    static let sixth = """
        -- The labels that a worker must have, as JSON in their order; NULL for any worker.
        ALTER TABLE builds ADD COLUMN runs_on TEXT;
        CREATE INDEX builds_bound ON builds (runs_on) WHERE state = 'pending' AND runs_on IS NOT NULL;

        CREATE TABLE workers (
            name TEXT PRIMARY KEY NOT NULL,
            labels TEXT NOT NULL CHECK (json_valid(labels)),
            slots INTEGER NOT NULL,
            version TEXT NOT NULL,
            instance TEXT NOT NULL,
            started_at TEXT NOT NULL,
            seen_at TEXT NOT NULL,
            drained INTEGER NOT NULL CHECK (drained IN (0, 1))
        ) STRICT, WITHOUT ROWID;

        -- Which repositories each has built from.
        CREATE TABLE worker_mirrors (
            worker TEXT NOT NULL,
            repository TEXT NOT NULL,
            PRIMARY KEY (worker, repository)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE duties (
            name TEXT PRIMARY KEY NOT NULL,
            holder TEXT NOT NULL,
            held_until TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- When each is full again, in nanoseconds since 1970.
        CREATE TABLE buckets (
            name TEXT PRIMARY KEY NOT NULL,
            full_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
