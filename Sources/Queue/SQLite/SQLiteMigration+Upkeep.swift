extension SQLiteMigration {
    /// Attempts after failures, ends that are asked for, and what is kept of the past.
    static let third = """
        -- SQLite can't change a CHECK, so the table is made anew. Deliveries and successors may be removed before what
        -- names them.
        CREATE TABLE builds_3 (
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
            -- Of the latest attempt that pushed: what it put under a tag is this build's.
            digest TEXT,
            cause_kind TEXT NOT NULL CHECK (cause_kind IN ('webhook', 'trigger', 'api', 'poll', 'retry')),
            cause_host TEXT,
            delivery TEXT,
            attempt INTEGER NOT NULL DEFAULT 0,
            -- Attempts that were given back and don't count against the build.
            excused INTEGER NOT NULL DEFAULT 0,
            worker TEXT,
            lease_until TEXT,
            -- Not before, after an attempt that failed.
            retry_at TEXT,
            -- What the engine calls the image that an attempt built.
            built TEXT,
            -- The end that somebody asked for while it runs.
            stop TEXT CHECK (stop IN ('cancelled', 'superseded')),
            successor INTEGER,
            reused INTEGER,
            failure_kind TEXT CHECK (failure_kind IN ('build', 'system', 'timeout')),
            failure_stage TEXT CHECK (failure_stage IN ('checkout', 'build', 'push', 'tag')),
            failure_message TEXT,
            -- Why it ended, or is to end, without an image though nothing failed.
            reason TEXT,
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
            -- A pending build may have failed before.
            CHECK (state <> 'failed' OR failure_kind IS NOT NULL),
            CHECK (failure_kind IS NULL OR state IN ('failed', 'pending')),
            CHECK ((failure_kind IS NULL) = (failure_stage IS NULL)),
            CHECK ((failure_kind IS NULL) = (failure_message IS NULL)),
            CHECK (retry_at IS NULL OR (state = 'pending' AND failure_kind IS NOT NULL)),
            CHECK (stop IS NULL OR state IN ('building', 'pushing')),
            CHECK (reason IS NULL OR state IN ('cancelled', 'superseded') OR stop IS NOT NULL),
            CHECK ((successor IS NOT NULL) = (state = 'superseded' OR coalesce(stop, '') = 'superseded')),
            CHECK (pushing_at IS NULL OR ("commit" IS NOT NULL AND commit_tag IS NOT NULL)),
            CHECK (state <> 'finished' OR digest IS NOT NULL)
        ) STRICT;
        INSERT INTO builds_3 (id, repository, state, ref, "commit", message, author, rule, captures, image, commit_tag,
            digest, cause_kind, cause_host, delivery, attempt, excused, worker, lease_until, reused, failure_kind,
            failure_stage, failure_message, reason, log_length, created_at, started_at, pushing_at, finished_at)
        SELECT id, repository, state, ref, "commit", message, author, rule, captures, image, commit_tag,
            digest, cause_kind, cause_host, delivery, attempt, excused, worker, lease_until, reused, failure_kind,
            failure_stage, failure_message, reason, log_length, created_at, started_at, pushing_at, finished_at
        FROM builds;
        DROP TABLE builds;
        ALTER TABLE builds_3 RENAME TO builds;
        CREATE INDEX builds_by_state ON builds (state, id);
        CREATE INDEX builds_by_repository ON builds (repository, id);
        CREATE INDEX builds_by_delivery ON builds (delivery);
        CREATE INDEX builds_by_commit ON builds (repository, ref, "commit");
        CREATE INDEX builds_without_commit ON builds (repository, ref) WHERE state = 'pending' AND "commit" IS NULL;
        CREATE INDEX builds_finished ON builds (repository, ref) WHERE state = 'finished';
        CREATE INDEX builds_alive ON builds (repository, ref) WHERE state IN ('pending', 'building', 'pushing');
        -- What is to be claimed, aside of what waits for another attempt.
        CREATE INDEX builds_pending ON builds (retry_at) WHERE state = 'pending';
        -- For lists of a state or ref that few of a repository's many builds have.
        CREATE INDEX builds_by_repository_state ON builds (repository, state);
        CREATE INDEX builds_by_ref ON builds (repository, ref);
        CREATE INDEX builds_by_digest ON builds (digest) WHERE digest IS NOT NULL;
        CREATE TRIGGER pending_again AFTER UPDATE OF state ON builds
        WHEN NEW.state = 'pending' AND OLD.state <> 'pending' BEGIN
            INSERT INTO pending VALUES (NEW.repository, 1) ON CONFLICT DO UPDATE SET builds = builds + 1;
            INSERT INTO pending VALUES ('', 1) ON CONFLICT DO UPDATE SET builds = builds + 1;
        END;
        CREATE TRIGGER pending_no_more AFTER UPDATE OF state ON builds
        WHEN OLD.state = 'pending' AND NEW.state <> 'pending' BEGIN
            UPDATE pending SET builds = builds - 1 WHERE repository IN (OLD.repository, '');
        END;
        CREATE TRIGGER pending_deleted AFTER DELETE ON builds WHEN OLD.state = 'pending' BEGIN
            UPDATE pending SET builds = builds - 1 WHERE repository IN (OLD.repository, '');
        END;

        -- A commit tag names one image for ever, also when its build is no longer kept.
        CREATE TABLE commit_tags_3 (
            image TEXT NOT NULL,
            name TEXT NOT NULL,
            build INTEGER NOT NULL,
            PRIMARY KEY (image, name)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO commit_tags_3 SELECT image, name, build FROM commit_tags;
        DROP TABLE commit_tags;
        ALTER TABLE commit_tags_3 RENAME TO commit_tags;
        CREATE INDEX commit_tags_by_build ON commit_tags (build);

        -- What somebody else put there, as last seen: a digest, or nothing where the tag is gone.
        ALTER TABLE tags ADD COLUMN found_digest TEXT;
        ALTER TABLE tags ADD COLUMN found_at TEXT;
        CREATE INDEX tags_by_build ON tags (build);
        -- Until then the name is being put right; no build moves it.
        ALTER TABLE tags ADD COLUMN repair_until TEXT;

        -- Where the branches and tags of each source were when they were last looked at, as JSON.
        CREATE TABLE sources (
            repository TEXT PRIMARY KEY NOT NULL,
            refs TEXT NOT NULL CHECK (json_valid(refs))
        ) STRICT, WITHOUT ROWID;

        -- While it has a row, no build is claimed.
        CREATE TABLE pause (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            since TEXT NOT NULL,
            by TEXT,
            reason TEXT
        ) STRICT;
        """
}
