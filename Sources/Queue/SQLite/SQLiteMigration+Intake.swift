extension SQLiteMigration {
    /// Deliveries of no repository here, with their headers; what told twice is found by; how many builds are pending.
    static let second = """
        -- SQLite can't take back a NOT NULL, so the table is made anew.
        CREATE TABLE deliveries_2 (
            -- In the order in which they came. A rowid without a name could change by a VACUUM.
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            repository TEXT,
            kind TEXT NOT NULL CHECK (kind IN ('webhook', 'trigger', 'api', 'poll', 'retry')),
            host TEXT,
            sender_id TEXT,
            event TEXT,
            token TEXT,
            remote_address TEXT NOT NULL,
            redelivery_of TEXT,
            ignored TEXT NOT NULL CHECK (json_valid(ignored)),
            received_at TEXT NOT NULL,
            headers TEXT NOT NULL CHECK (json_valid(headers)),
            -- The first mebibyte, and the length of the whole. Last, so that a list need not read over it.
            body_length INTEGER NOT NULL CHECK (body_length >= length(body)),
            body BLOB NOT NULL CHECK (length(body) <= 1048576)
        ) STRICT;
        INSERT INTO deliveries_2 (number, id, repository, kind, host, sender_id, event, remote_address, ignored,
            received_at, headers, body_length, body)
        SELECT rowid, id, repository, kind, host, sender_id, event, remote_address, ignored, received_at,
            CASE WHEN user_agent IS NULL THEN '[]'
                ELSE json_array(json_object('name', 'User-Agent', 'value', user_agent)) END,
            body_length, body
        FROM deliveries ORDER BY rowid;
        DROP TABLE deliveries;
        ALTER TABLE deliveries_2 RENAME TO deliveries;
        CREATE INDEX deliveries_by_repository ON deliveries (repository);
        -- Why it ended without an image though nothing failed.
        ALTER TABLE builds ADD COLUMN reason TEXT CHECK (reason IS NULL OR state IN ('cancelled', 'superseded'));
        CREATE INDEX builds_by_delivery ON builds (delivery);
        -- For pushes that are told twice.
        CREATE INDEX builds_by_commit ON builds (repository, ref, "commit");
        CREATE INDEX builds_without_commit ON builds (repository, ref) WHERE state = 'pending' AND "commit" IS NULL;
        -- For what changed since the last image.
        CREATE INDEX builds_finished ON builds (repository, ref) WHERE state = 'finished';

        -- How many builds are pending, of each repository and, under the empty name, of all. New builds
        -- are counted by who accepts them, many at once; and the triggers insert one row a statement, since for two
        -- SQLite makes a temporary table each time.
        CREATE TABLE pending (
            repository TEXT PRIMARY KEY NOT NULL,
            builds INTEGER NOT NULL CHECK (builds >= 0)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO pending SELECT repository, count(*) FROM builds WHERE state = 'pending' GROUP BY repository;
        INSERT INTO pending SELECT '', count(*) FROM builds WHERE state = 'pending';
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
        """
}
