extension SQLiteMigration {
    /// What an image is made of, so that it need not be made twice; which images it is built on; who is served next.
    static let fifth = #"""
        -- Nothing that is on the disk changes with a CHECK ("ALTER TABLE", 7), and the tables may be large.
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, '''poll'', ''retry'')', '''poll'', ''retry'', ''base'')')
        WHERE type = 'table' AND name IN ('builds', 'deliveries');
        PRAGMA writable_schema = RESET;

        -- What happened, where that is more than a push.
        ALTER TABLE builds ADD COLUMN cause_detail TEXT;
        -- Over all that the image is made of; or why that can't be known.
        ALTER TABLE builds ADD COLUMN input_key TEXT;
        ALTER TABLE builds ADD COLUMN input_doubt TEXT CHECK (input_doubt IS NULL OR input_key IS NULL);
        -- Why the image of another build was taken, or not.
        ALTER TABLE builds ADD COLUMN reuse TEXT;
        -- When an engine made the image.
        ALTER TABLE builds ADD COLUMN made_at TEXT;
        -- Neither another build's image nor the engine's cache.
        ALTER TABLE builds ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0 CHECK (fresh IN (0, 1));
        CREATE INDEX builds_by_key ON builds (image, input_key) WHERE state = 'finished' AND input_key IS NOT NULL;

        -- What runs, what waits for another attempt, and of each repository what is due: intake writes only to the last.
        DROP INDEX builds_living;
        CREATE INDEX builds_running ON builds (repository) WHERE lease_until IS NOT NULL;
        CREATE INDEX builds_waiting ON builds (retry_at) WHERE retry_at IS NOT NULL;
        CREATE INDEX builds_due ON builds (repository, retry_at) WHERE state = 'pending';

        -- The images that the Dockerfile names by a tag, and where that pointed.
        CREATE TABLE build_bases (
            build INTEGER NOT NULL REFERENCES builds (id),
            image TEXT NOT NULL,
            name TEXT NOT NULL,
            digest TEXT NOT NULL,
            PRIMARY KEY (build, image, name)
        ) STRICT, WITHOUT ROWID;
        """#
}
