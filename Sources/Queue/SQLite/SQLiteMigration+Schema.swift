extension SQLiteMigration {
    /// All of them, in order. One that was released is never changed; a new one is added.
    static let all = [
        SQLiteMigration(number: 1, sql: first), SQLiteMigration(number: 2, sql: second),
        SQLiteMigration(number: 3, sql: third),
        SQLiteMigration(number: 4, sql: fourth), SQLiteMigration(number: 5, sql: fifth),
        SQLiteMigration(number: 6, sql: sixth),
    ]

    /// Times are RFC 3339 texts. No CHECK orders them: a clock that was set back must not keep a build from ending.
    private static let first = """
        CREATE TABLE deliveries (
            id TEXT PRIMARY KEY NOT NULL,
            repository TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('webhook', 'trigger', 'api', 'poll', 'retry')),
            host TEXT,
            sender_id TEXT,
            event TEXT,
            remote_address TEXT NOT NULL,
            user_agent TEXT,
            -- The first mebibyte, and the length of the whole.
            body BLOB NOT NULL CHECK (length(body) <= 1048576),
            body_length INTEGER NOT NULL CHECK (body_length >= length(body)),
            ignored TEXT NOT NULL CHECK (json_valid(ignored)),
            received_at TEXT NOT NULL
        ) STRICT;

        CREATE TABLE builds (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            repository TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN
                ('pending', 'building', 'pushing', 'finished', 'failed', 'cancelled', 'superseded')),
            ref TEXT NOT NULL,
            "commit" TEXT,
            message TEXT,
            author TEXT,
            rule TEXT NOT NULL CHECK (json_valid(rule)),
            captures TEXT NOT NULL CHECK (json_valid(captures)),
            image TEXT NOT NULL,
            commit_tag TEXT,
            digest TEXT,
            cause_kind TEXT NOT NULL CHECK (cause_kind IN ('webhook', 'trigger', 'api', 'poll', 'retry')),
            cause_host TEXT,
            delivery TEXT REFERENCES deliveries (id),
            attempt INTEGER NOT NULL DEFAULT 0,
            -- Attempts that were given back and don't count against the build.
            excused INTEGER NOT NULL DEFAULT 0,
            worker TEXT,
            lease_until TEXT,
            reused INTEGER REFERENCES builds (id),
            failure_kind TEXT CHECK (failure_kind IN ('build', 'system')),
            failure_stage TEXT CHECK (failure_stage IN ('checkout', 'build', 'push', 'tag')),
            failure_message TEXT,
            log_length INTEGER NOT NULL DEFAULT 0 CHECK (log_length >= 0),
            created_at TEXT NOT NULL,
            started_at TEXT,
            pushing_at TEXT,
            finished_at TEXT,

            CHECK (excused BETWEEN 0 AND attempt),
            -- A lease belongs to a running build, and a running build has one.
            CHECK ((state IN ('building', 'pushing')) = (worker IS NOT NULL)),
            CHECK ((state IN ('building', 'pushing')) = (lease_until IS NOT NULL)),
            CHECK (state NOT IN ('building', 'pushing', 'finished', 'failed')
                OR (started_at IS NOT NULL AND attempt > 0)),
            CHECK (state NOT IN ('pushing', 'finished') OR pushing_at IS NOT NULL),
            CHECK (state <> 'pending' OR started_at IS NULL),
            CHECK (state NOT IN ('pending', 'building') OR pushing_at IS NULL),
            CHECK (pushing_at IS NULL OR started_at IS NOT NULL),
            CHECK ((state IN ('finished', 'failed', 'cancelled', 'superseded')) = (finished_at IS NOT NULL)),
            CHECK ((state = 'failed') = (failure_kind IS NOT NULL)),
            CHECK ((state = 'failed') = (failure_stage IS NOT NULL)),
            CHECK ((state = 'failed') = (failure_message IS NOT NULL)),
            CHECK (pushing_at IS NULL OR ("commit" IS NOT NULL AND commit_tag IS NOT NULL)),
            CHECK (digest IS NULL OR pushing_at IS NOT NULL),
            CHECK (state <> 'finished' OR digest IS NOT NULL)
        ) STRICT;
        CREATE INDEX builds_by_state ON builds (state, id);
        CREATE INDEX builds_by_repository ON builds (repository, id);

        -- The movable names of a build, in the order of its rule.
        CREATE TABLE build_tags (
            build INTEGER NOT NULL REFERENCES builds (id),
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            moved INTEGER NOT NULL DEFAULT 0 CHECK (moved IN (0, 1)),
            reason TEXT CHECK (reason IS NULL OR moved = 0),
            PRIMARY KEY (build, position),
            UNIQUE (build, name)
        ) STRICT, WITHOUT ROWID;

        -- Whose a commit tag is.
        CREATE TABLE commit_tags (
            image TEXT NOT NULL,
            name TEXT NOT NULL,
            build INTEGER NOT NULL REFERENCES builds (id),
            PRIMARY KEY (image, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX commit_tags_by_build ON commit_tags (build);

        -- Where a movable name points, as far as Slipway moved it.
        CREATE TABLE tags (
            image TEXT NOT NULL,
            name TEXT NOT NULL,
            build INTEGER NOT NULL REFERENCES builds (id),
            "commit" TEXT NOT NULL,
            digest TEXT NOT NULL,
            moved_at TEXT NOT NULL,
            PRIMARY KEY (image, name)
        ) STRICT, WITHOUT ROWID;

        -- Who is moving a name just now; worth nothing once that attempt no longer pushes.
        CREATE TABLE moves (
            image TEXT NOT NULL,
            name TEXT NOT NULL,
            build INTEGER NOT NULL REFERENCES builds (id),
            attempt INTEGER NOT NULL,
            PRIMARY KEY (image, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX moves_by_build ON moves (build);

        -- Output as it came; offset counts the bytes before it.
        CREATE TABLE log_chunks (
            build INTEGER NOT NULL REFERENCES builds (id),
            offset INTEGER NOT NULL CHECK (offset >= 0),
            bytes BLOB NOT NULL CHECK (length(bytes) > 0),
            PRIMARY KEY (build, offset)
        ) STRICT;

        CREATE TABLE probe (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            bytes BLOB NOT NULL
        ) STRICT;
        """
}
