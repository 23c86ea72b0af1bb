import Foundation
import Model
import TestSupport
import Testing

@testable import Queue

@Suite struct MigrationTests {
    private static let two = [
        SQLiteMigration(number: 1, sql: "CREATE TABLE one (a INTEGER); INSERT INTO one VALUES (1)"),
        SQLiteMigration(number: 2, sql: "CREATE TABLE two (b INTEGER); INSERT INTO two SELECT a + 1 FROM one"),
    ]

    private func withDatabase(_ body: (Database) throws -> Void) async throws {
        try await withFolder { try body(Database(path: $0 + "/test.db", access: .readWrite)) }
    }

    private func version(_ database: Database) throws -> Int? {
        try database.first("PRAGMA user_version") { try $0.get("user_version", as: Int.self) }
    }

    @Test func eachIsRunOnceFromEmpty() async throws {
        try await withDatabase { database in
            try SQLiteMigration.run(Self.two, on: database)
            try SQLiteMigration.run(Self.two, on: database)
            #expect(try version(database) == 2)
            #expect(try database.all("SELECT b FROM two") { try $0.get("b", as: Int.self) } == [2])
        }
    }

    @Test func aStepTakesUpWhereTheLastVersionEnded() async throws {
        try await withDatabase { database in
            try SQLiteMigration.run([Self.two[0]], on: database)
            try database.script("UPDATE one SET a = 5")
            try SQLiteMigration.run(Self.two, on: database)
            #expect(try database.all("SELECT b FROM two") { try $0.get("b", as: Int.self) } == [6])
        }
    }

    @Test func aStepThatFailsLeavesNothing() async throws {
        try await withDatabase { database in
            let bad = SQLiteMigration(number: 2, sql: "CREATE TABLE two (b INTEGER); INSERT INTO nowhere VALUES (1)")
            #expect(throws: StoreError.self) { try SQLiteMigration.run([Self.two[0], bad], on: database) }
            #expect(try version(database) == 1)
            try SQLiteMigration.run(Self.two, on: database)
            #expect(try version(database) == 2)
        }
    }

    @Test func aStepThatLeavesLooseRowsIsUndone() async throws {
        try await withDatabase { database in
            let bad = SQLiteMigration(
                number: 2,
                sql: "CREATE TABLE two (a INTEGER PRIMARY KEY, b REFERENCES two); INSERT INTO two VALUES (1, 7)")
            let error = #expect(throws: StoreError.self) { try SQLiteMigration.run([Self.two[0], bad], on: database) }
            #expect(error?.description.contains("schema 2 would leave rows that refer to nothing in two") == true)
            let version = try version(database)
            #expect(version == 1)
        }
    }

    /// What the first version wrote: two deliveries, one without an agent, and builds in several states.
    private static let firstRows = """
        INSERT INTO deliveries VALUES ('b', 'acme/shop', 'webhook', 'github', '7', 'push', '127.0.0.1', 'hook "1"',
            x'7b7d', 2, '[{"reason":"no","rule":2}]', '2026-11-21T02:43:08.120Z');
        INSERT INTO deliveries VALUES ('a', 'acme/shop', 'api', NULL, NULL, NULL, '127.0.0.1', NULL,
            x'', 0, '[]', '2026-11-21T02:43:09.000Z');
        INSERT INTO builds (repository, state, ref, "commit", rule, captures, image, commit_tag, digest, cause_kind,
            cause_host, delivery, attempt, log_length, created_at, started_at, pushing_at, finished_at)
        VALUES ('acme/shop', 'finished', 'refs/heads/main', '1111111111111111111111111111111111111111',
            '{"number":1,"source":{"branch":{"_0":"main"}},"tags":["latest"],"commitTag":"sha-{sha12}","buildArgs":{},"cache":true,"autobuild":true,"timeout":600}',
            '["main"]', 'registry.example.com/acme/shop', 'sha-111111111111',
            'sha256:1111111111111111111111111111111111111111111111111111111111111111', 'webhook', 'github', 'b', 1, 5,
            '2026-11-21T02:43:08.120Z', '2026-11-21T02:43:09.000Z', '2026-11-21T02:43:10.000Z',
            '2026-11-21T02:43:11.000Z');
        INSERT INTO builds (repository, state, ref, rule, captures, image, cause_kind, delivery, created_at)
        SELECT repository, 'pending', ref, rule, captures, image, 'api', 'a', created_at FROM builds;
        INSERT INTO build_tags (build, position, name, moved) VALUES (1, 0, 'latest', 1);
        INSERT INTO log_chunks (build, offset, bytes) VALUES (1, 0, x'68656c6c6f');
        """

    @Test func aDatabaseOfTheFirstVersionComesThroughWhole() async throws {
        try await withFolder { folder in
            let path = folder + "/slipway.db"
            do {
                let database = try Database(path: path, access: .readWrite)
                try SQLiteMigration.run(Array(SQLiteMigration.all.prefix(1)), on: database)
                try database.script(Self.firstRows)
            }
            let store = try await DatabaseStore.open(sqlite: path, time: ManualTime())
            let deliveries = try await store.deliveries(DeliveryQuery())
            #expect(deliveries.map(\.id) == ["a", "b"])
            #expect(deliveries.map(\.headers) == [[], [Header(name: "User-Agent", value: "hook \"1\"")]])
            #expect(deliveries.map(\.built) == [[.init(rule: 1, build: 2)], [.init(rule: 1, build: 1)]])
            #expect(deliveries.last?.ignored == [Ignored(rule: 2, reason: "no")])
            #expect(try await store.delivery("b")?.body == Data("{}".utf8))
            #expect(try await store.load() == QueueLoad(pending: 1, running: 0))
            let build = try #require(try await store.build(1))
            #expect(build.state == .finished && build.tags.map(\.moved) == [true] && build.reason == nil)
            #expect(try await store.log(1, offset: 0, limit: 9) == Data("hello".utf8))
            // What is told again now is found among the old rows.
            let push = Push(ref: build.ref, commit: build.commit)
            let again = NewBuild(
                repository: build.repository, push: push, rule: build.rule, captures: [], image: build.image, names: nil
            )
            let acceptance = try await store.accept(
                NewDelivery(
                    repository: build.repository, kind: .webhook, host: "github", senderID: "7",
                    remoteAddress: "127.0.0.1", receivedAt: Date(), builds: [again]))
            #expect(acceptance.ignored.map(\.build) == [1])
            #expect(acceptance.ignored.first?.reason.hasPrefix("this delivery was told before") == true)
            #expect(try await store.deliveries(DeliveryQuery(limit: 1)).map(\.id) == [acceptance.delivery])
            let claimed = try await store.claim(limit: 9, worker: "w", lease: .seconds(9))
            #expect(claimed.map(\.id) == [2])
            await store.close()
        }
    }

    /// Builds in every state that was ever written, and a row at least in every table: what the first version had.
    private static let everywhere = """
        \(firstRows)
        INSERT INTO builds (repository, state, ref, "commit", rule, captures, image, commit_tag, digest, cause_kind,
            attempt, excused, worker, lease_until, created_at, started_at, pushing_at)
        SELECT repository, 'pushing', ref, "commit", rule, captures, image, commit_tag, digest, 'retry', 3, 1, 'w',
            '2026-11-21T02:44:00.000Z', created_at, started_at, pushing_at FROM builds WHERE id = 1;
        INSERT INTO builds (repository, state, ref, rule, captures, image, cause_kind, attempt, worker, lease_until,
            created_at, started_at)
        SELECT 'acme/other', 'building', ref, rule, captures, image, 'trigger', 1, 'w', '2026-11-21T02:44:00.000Z',
            created_at, started_at FROM builds WHERE id = 1;
        INSERT INTO builds (repository, state, ref, rule, captures, image, cause_kind, attempt, reused, failure_kind,
            failure_stage, failure_message, created_at, started_at, finished_at)
        SELECT repository, 'failed', ref, rule, captures, image, 'poll', 1, 1, 'system', 'push', 'it''s "down"',
            created_at, started_at, finished_at FROM builds WHERE id = 1;
        INSERT INTO builds (repository, state, ref, rule, captures, image, cause_kind, created_at, finished_at)
        SELECT repository, 'cancelled', ref, rule, captures, image, 'api', created_at, finished_at
        FROM builds WHERE id = 1;
        INSERT INTO build_tags (build, position, name, reason) VALUES (3, 0, 'latest', 'a newer commit has it');
        INSERT INTO commit_tags SELECT image, commit_tag, id FROM builds WHERE id = 1;
        INSERT INTO tags SELECT image, 'latest', id, "commit", digest, finished_at FROM builds WHERE id = 1;
        INSERT INTO moves SELECT image, 'latest', id, attempt FROM builds WHERE id = 3;
        INSERT INTO probe (id, bytes) VALUES (1, x'00');
        """

    /// What the second version had besides.
    private static let secondEverywhere = """
        UPDATE builds SET reason = 'no file of it changed' WHERE state = 'cancelled';
        INSERT INTO deliveries (id, kind, token, remote_address, redelivery_of, ignored, received_at, headers,
            body_length, body)
        VALUES ('c', 'webhook', 'ops', '127.0.0.1', 'b', '[]', '2026-11-21T02:43:10.000Z', '[]', 9, x'7b7d');
        """

    /// What the third and fourth had besides.
    private static let thirdEverywhere = """
        UPDATE builds SET retry_at = '2026-11-21T02:43:20.000Z', failure_kind = 'timeout', failure_stage = 'build',
            failure_message = 'too long' WHERE state = 'pending';
        UPDATE tags SET found_digest = digest, found_at = moved_at, repair_until = moved_at;
        INSERT INTO sources VALUES ('acme/shop', '{"refs/heads/main":"1111111111111111111111111111111111111111"}');
        INSERT INTO pause VALUES (1, '2026-11-21T02:43:20.000Z', 'ops', 'the registry moves');
        """

    @Test(arguments: [1, 2, 3, 4])
    func rowsOfEveryTableOfAnEarlierSchemaComeThroughWhole(_ number: Int) async throws {
        try await withFolder { folder in
            let path = folder + "/slipway.db"
            var before: [String: [String]] = [:]
            var columns: [String: [String]] = [:]
            do {
                let database = try Database(path: path, access: .readWrite)
                try SQLiteMigration.run(Array(SQLiteMigration.all.prefix(1)), on: database)
                try database.script(Self.everywhere)
                try SQLiteMigration.run(Array(SQLiteMigration.all.prefix(number)), on: database)
                if number > 1 { try database.script(Self.secondEverywhere) }
                if number > 2 { try database.script(Self.thirdEverywhere) }
                for table in try Rows.tables(of: database) {
                    // The agent has become one of the headers.
                    columns[table] = try Rows.columns(of: table, in: database).filter { $0 != "user_agent" }
                    before[table] = try Rows.rows(of: table, columns[table] ?? [], in: database)
                    #expect(before[table]?.isEmpty == false, "\(table)")
                }
            }
            let time = ManualTime()
            let store = try await DatabaseStore.open(sqlite: path, time: time)
            let database = try Database(path: path, access: .readWrite)
            for (table, rows) in before {
                #expect(try Rows.rows(of: table, columns[table] ?? [], in: database) == rows, "\(table)")
            }
            try expectMovesOfBaseImages(database)
            let check = try database.all("PRAGMA integrity_check") { try $0.get("integrity_check", as: String.self) }
            #expect(check == ["ok"])
            let broken = try database.all("PRAGMA foreign_key_check") { try $0.get("table", as: String.self) }
            #expect(broken.isEmpty)
            // And is what this version can read, and go on with.
            let builds = try await store.builds(BuildQuery())
            #expect(builds.map(\.state) == [.cancelled, .failed, .building, .pushing, .pending, .finished])
            #expect(builds.map(\.tries) == [0, 1, 1, 2, 0, 1])
            #expect(builds[1].failure == Failure(.system, .push, "it's \"down\""))
            #expect(builds.first?.reason == (number > 1 ? "no file of it changed" : nil))
            #expect(try await store.tags(after: nil, limit: 9).map(\.holder.build) == [1])
            let last = try #require(builds.last)
            #expect(try await store.build(of: #require(last.digest), in: last.image, tag: nil)?.digest == last.digest)
            let probe = try await store.cancel(3, reason: "by ops")
            #expect(probe?.stop == .cancelled)
            #expect(try await store.rescue(all: true, tries: 9) == [3, 4])
            #expect(try await store.load() == QueueLoad(pending: 2, running: 0))
            let fixture = Fixture(factory: StoreFactory.sqlite, folder: folder, time: time, store: store)
            #expect(try await fixture.push().id == 7)
            // With the guards of this version.
            #expect(throws: StoreError.self) {
                try database.script("UPDATE builds SET stop = 'cancelled' WHERE id = 1")
            }
            await store.close()
        }
    }

    /// That the old tables take the cause of the fifth schema, and no other word.
    private func expectMovesOfBaseImages(_ database: Database) throws {
        for (table, column) in [("builds", "cause_kind"), ("deliveries", "kind")] {
            try database.script("BEGIN; UPDATE \(table) SET \(column) = 'base'")
            let kinds = try database.all("SELECT DISTINCT \(column) AS kind FROM \(table)") {
                try $0.get("kind", as: String.self)
            }
            #expect(kinds == ["base"])
            let error = #expect(throws: StoreError.self) {
                try database.script("UPDATE \(table) SET \(column) = 'rumour'")
            }
            #expect(error.map { $0.code & 0xff } == 19)
            try database.script("ROLLBACK")
        }
    }

    @Test func aDatabaseIsBroughtUpWhileOthersReadIt() async throws {
        try await withFolder { folder in
            let path = folder + "/slipway.db"
            let old = try Database(path: path, access: .readWrite)
            try old.script("PRAGMA journal_mode = WAL")
            try SQLiteMigration.run(Array(SQLiteMigration.all.prefix(1)), on: old)
            try old.script(Self.everywhere)
            try SQLiteMigration.run(Array(SQLiteMigration.all.prefix(3)), on: old)
            let reader = try Database(path: path, access: .readOnly)
            let count = "SELECT count(*) AS builds FROM builds WHERE cause_kind = 'base'"
            func bases(_ database: Database) throws -> Int? {
                try database.first(count) { try $0.get("builds", as: Int.self) }
            }
            try reader.script("BEGIN")
            #expect(try bases(reader) == 0)
            let store = try await DatabaseStore.open(sqlite: path, time: ManualTime())
            // The reader's state of the database is that of its first look.
            #expect(try version(reader) == 3)
            #expect(try bases(reader) == 0)
            try reader.script("COMMIT")
            #expect(try version(reader) == SQLiteMigration.all.last?.number)
            // One that knew the old schema takes the new words, and the reader's statement, compiled before, sees them.
            try old.script("UPDATE builds SET cause_kind = 'base', cause_detail = 'moved' WHERE id = 1")
            #expect(try bases(reader) == 1)
            #expect(try await store.build(1)?.cause.detail == "moved")
            await store.close()
        }
    }

    @Test func aNewerDatabaseIsLeftAlone() async throws {
        try await withFolder { folder in
            let path = folder + "/slipway.db"
            try await DatabaseStore.open(sqlite: path, time: ManualTime()).close()
            try Database(path: path, access: .readWrite).script("PRAGMA user_version = 99")
            let error = await #expect(throws: StoreError.self) {
                _ = try await DatabaseStore.open(sqlite: path, time: ManualTime())
            }
            #expect(error?.description.contains("its schema is number 99") == true)
            #expect(error?.description.contains("run a newer slipway") == true)
        }
    }

    @Test func theSchemasNumbersGrow() {
        #expect(SQLiteMigration.all.map(\.number) == Array(1...SQLiteMigration.all.count))
    }
}
