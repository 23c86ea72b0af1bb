import Foundation
import Model
import Platform
import TestSupport
import Testing

@testable import Queue

/// What is SQLite's own: the schema's guards, migrations, a full database.
@Suite struct SQLiteTests {
    private static let factory = StoreFactory.sqlite

    /// The fixture's database, through a connection of the test's own.
    private func database(_ fixture: Fixture) throws -> Database {
        try Database(path: fixture.folder + "/slipway.db", access: .readWrite)
    }

    @Test(arguments: [
        // Words that are not known.
        "UPDATE builds SET state = 'done' WHERE id = 1",
        "UPDATE builds SET cause_kind = 'rumour' WHERE id = 1",
        "UPDATE builds SET rule = 'no JSON' WHERE id = 1",
        "UPDATE builds SET attempt = 'first' WHERE id = 1",
        // A state without what it needs: build 1 is pending, 2 building, 3 pushing, 4 finished, 5 failed.
        "UPDATE builds SET state = 'building' WHERE id = 1",
        "UPDATE builds SET state = 'finished' WHERE id = 1",
        "UPDATE builds SET state = 'cancelled' WHERE id = 1",
        "UPDATE builds SET state = 'pending' WHERE id = 2",
        "UPDATE builds SET state = 'pushing' WHERE id = 2",
        "UPDATE builds SET state = 'building' WHERE id = 3",
        "UPDATE builds SET state = 'finished' WHERE id = 3",
        "UPDATE builds SET state = 'finished', worker = NULL, lease_until = NULL WHERE id = 3",
        // A state with what it can't have.
        "UPDATE builds SET started_at = created_at WHERE id = 1",
        "UPDATE builds SET finished_at = created_at WHERE id = 2",
        "UPDATE builds SET pushing_at = created_at WHERE id = 2",
        "UPDATE builds SET lease_until = NULL WHERE id = 2",
        "UPDATE builds SET worker = NULL WHERE id = 3",
        "UPDATE builds SET worker = 'w' WHERE id = 4",
        "UPDATE builds SET finished_at = NULL WHERE id = 4",
        "UPDATE builds SET digest = NULL WHERE id = 4",
        "UPDATE builds SET \"commit\" = NULL WHERE id = 4",
        "UPDATE builds SET commit_tag = NULL WHERE id = 4",
        "UPDATE builds SET failure_kind = 'build' WHERE id = 4",
        "UPDATE builds SET failure_message = NULL WHERE id = 5",
        "UPDATE builds SET failure_stage = 'lunch' WHERE id = 5",
        "UPDATE builds SET excused = attempt + 1 WHERE id = 2",
        "UPDATE builds SET log_length = -1 WHERE id = 2",
        "UPDATE builds SET reason = 'nothing to do' WHERE id = 4",
        "UPDATE builds SET retry_at = created_at WHERE id = 1",
        "UPDATE builds SET retry_at = created_at WHERE id = 2",
        "UPDATE builds SET failure_kind = 'system' WHERE id = 1",
        "UPDATE builds SET failure_kind = 'system', failure_stage = 'push', failure_message = 'no' WHERE id = 2",
        "UPDATE builds SET failure_kind = 'lunch' WHERE id = 5",
        "UPDATE builds SET reason = 'by ops' WHERE id = 2",
        "UPDATE builds SET stop = 'cancelled' WHERE id = 1",
        "UPDATE builds SET stop = 'cancelled' WHERE id = 4",
        "UPDATE builds SET stop = 'finished' WHERE id = 2",
        "UPDATE builds SET stop = 'superseded' WHERE id = 2",
        "UPDATE builds SET stop = 'cancelled', successor = 4 WHERE id = 2",
        "UPDATE builds SET state = 'superseded', finished_at = created_at WHERE id = 1",
        "UPDATE builds SET successor = 5 WHERE id = 4",
        "INSERT INTO pause (id, since) VALUES (2, '2026-11-21T02:43:08.120Z')",
        "INSERT INTO pause (id) VALUES (1)",
        "INSERT INTO sources (repository, refs) VALUES ('acme/shop', 'no JSON')",
        // Rows of what isn't there.
        "INSERT INTO build_tags (build, position, name) VALUES (9, 0, 'latest')",
        "INSERT INTO build_tags (build, position, name) VALUES (1, 7, 'latest')",
        "INSERT INTO log_chunks (build, offset, bytes) VALUES (9, 0, x'00')",
        "INSERT INTO log_chunks (build, offset, bytes) VALUES (1, -1, x'00')",
        "DELETE FROM builds WHERE id = 1",
        "UPDATE deliveries SET body = zeroblob(1048577), body_length = 1048577",
        "UPDATE deliveries SET headers = 'no JSON'",
        "UPDATE deliveries SET id = (SELECT min(id) FROM deliveries)",
        "UPDATE pending SET builds = builds - 2",
    ])
    func impossibleRowsAreRefused(_ sql: String) async throws {
        try await Fixture.with(Self.factory) { fixture in
            for digit in 1...5 { try await fixture.push(digit) }
            let holds = try await fixture.claim(5).map(\.hold)
            try await fixture.store.giveBack(holds[0])
            for index in [2, 3] {
                let commitTag = try tag("sha-\(index)")
                try await fixture.store.startPushing(holds[index], commitTag: commitTag)
                try await fixture.store.pushed(holds[index], digest: Fixture.digest(index))
            }
            try await fixture.store.finish(holds[3])
            try await fixture.store.fail(holds[4], Failure(.build, .build, "no"))
            let states = try await fixture.store.builds(BuildQuery()).map(\.state)
            #expect(states == [.failed, .finished, .pushing, .building, .pending])

            let database = try database(fixture)
            try database.script("PRAGMA foreign_keys = ON")
            let error = #expect(throws: StoreError.self) {
                try database.transaction("test", .readWrite) { _ = try $0.run(sql) }
            }
            // SQLITE_CONSTRAINT, whatever kind of it.
            #expect(error.map { $0.code & 0xff } == 19, "\(String(describing: error))")
        }
    }

    @Test func aBodyIsKeptToItsFirstMebibyte() async throws {
        try await Fixture.with(Self.factory) { fixture in
            var delivery = fixture.delivery()
            delivery.body = Data(repeating: 65, count: 3 << 20)
            _ = try await fixture.store.accept(delivery, builds: [])
            let lengths = try database(fixture).all("SELECT length(body) AS kept, body_length AS whole FROM deliveries")
            {
                [try $0.get("kept", as: Int.self), try $0.get("whole", as: Int.self)]
            }
            #expect(lengths == [[1 << 20, 3 << 20]])
        }
    }

    @Test func acceptIsAllOrNothing() async throws {
        try await Fixture.with(Self.factory) { fixture in
            let database = try database(fixture)
            try database.script(
                "CREATE TRIGGER refuse BEFORE INSERT ON builds WHEN NEW.repository = 'acme/bad' BEGIN SELECT RAISE (ABORT, 'no'); END"
            )
            let builds = [
                try Fixture.newBuild(commit: nil),
                try Fixture.newBuild(commit: nil, repository: RepositoryName("acme/bad")),
            ]
            await #expect(throws: StoreError.self) {
                _ = try await fixture.store.accept(fixture.delivery(), builds: builds)
            }
            #expect(try await fixture.store.builds(BuildQuery()).isEmpty)
            #expect(try database.first("SELECT count(*) AS n FROM deliveries") { try $0.get("n", as: Int.self) } == 0)
        }
    }

    @Test func pendingBuildsAreCountedAsTheyAre() async throws {
        try await Fixture.with(Self.factory) { fixture in
            let database = try database(fixture)
            func expectCounted() throws {
                let counted = try database.all("SELECT repository, builds FROM pending WHERE builds > 0 ORDER BY 1") {
                    "\(try $0.get("repository", as: String.self)) \(try $0.get("builds", as: Int.self))"
                }
                let there = try database.all(
                    """
                    SELECT '' AS repository, count(*) AS builds FROM builds WHERE state = 'pending' HAVING builds > 0
                    UNION ALL
                    SELECT repository, count(*) FROM builds WHERE state = 'pending' GROUP BY repository ORDER BY 1
                    """
                ) { "\(try $0.get("repository", as: String.self)) \(try $0.get("builds", as: Int.self))" }
                #expect(counted == there)
            }
            for digit in 1...3 { try await fixture.push(digit) }
            try await fixture.push(4, repository: RepositoryName("acme/other"))
            try expectCounted()
            // The other repository's among them.
            let holds = try await fixture.claim(3).map(\.hold).sorted { $0.build < $1.build }
            try expectCounted()
            try await fixture.store.giveBack(holds[0])
            try await fixture.store.fail(holds[1], Failure(.build, .build, "no"))
            try expectCounted()
            _ = try await fixture.store.rescue(all: true, tries: 9)
            try expectCounted()
            try database.script("DELETE FROM build_tags; DELETE FROM builds WHERE id = 1")
            try expectCounted()
            let again = try await fixture.claim(1).map(\.hold)
            try await fixture.store.retry(again[0], Failure(.system, .push, "down"), after: .seconds(9))
            try expectCounted()
            _ = try await fixture.store.cancel(again[0].build, reason: "by ops")
            let newest = try await fixture.push(5)
            try await fixture.store.supersede([4], by: newest.id)
            try expectCounted()
            fixture.time.advance(by: .seconds(60))
            #expect(try await fixture.store.prune(Keep(builds: .init(age: .zero)), limit: 9).builds == 3)
            try expectCounted()
            _ = try await fixture.claim(9)
            try expectCounted()
        }
    }

    @Test func aBrokenRowFailsOnlyWhoReadsIt() async throws {
        try await Fixture.with(Self.factory) { fixture in
            let broken = try Fixture.newBuild(commit: Fixture.commit(1))
            _ = try await fixture.store.accept(fixture.delivery(), builds: [broken])
            try database(fixture).script("UPDATE builds SET rule = '{}'")
            // One that looks at the row among many that don't.
            let failed = await withTaskGroup(of: (Int, StoreError?).self) { group in
                for number in 0..<32 {
                    group.addTask {
                        do {
                            let build = try Fixture.newBuild(
                                commit: Fixture.commit(number), ref: number == 1 ? "refs/heads/main" : "refs/heads/b")
                            _ = try await fixture.store.accept(fixture.delivery(), builds: [build])
                            return (number, nil)
                        } catch {
                            return (number, error as? StoreError)
                        }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(failed.compactMapValues(\.self).keys.sorted() == [1])
            #expect(failed[1]?.kind == .unreadable)
            let kept = try database(fixture).first("SELECT count(*) AS n FROM deliveries") {
                try $0.get("n", as: Int.self)
            }
            #expect(kept == 32)
        }
    }

    @Test func theWriterIsAsDurableAsPromised() async throws {
        try await withFolder { folder in
            let connection = SQLiteConnection(path: folder + "/slipway.db", label: "test", time: SystemTime())
            try await connection.openWriter(maximumPages: nil, migrations: SQLiteMigration.all)
            let modes = try await connection.read("test") { database in
                [
                    try database.first("PRAGMA journal_mode") { try $0.get("journal_mode", as: String.self) },
                    try database.first("PRAGMA synchronous") { "\(try $0.get("synchronous", as: Int.self))" },
                    try database.first("PRAGMA foreign_keys") { "\(try $0.get("foreign_keys", as: Int.self))" },
                ]
            }
            // synchronous: 2 is FULL.
            #expect(modes == ["wal", "2", "1"])
            let mode = try FileManager.default.attributesOfItem(atPath: folder + "/slipway.db")[.posixPermissions]
            #expect(mode as? Int == 0o600)
            await connection.close()
        }
    }

    @Test func theLogIsWrittenBackBesideTheWriter() async throws {
        try await Fixture.with(Self.factory) { fixture in
            var delivery = fixture.delivery()
            delivery.body = Data(repeating: 65, count: 1 << 20)
            // Some 8 MiB, of the 62 MiB with which the writer itself would do it.
            for _ in 0..<8 { _ = try await fixture.store.accept(delivery) }
            let written = await eventually {
                let size = try? FileManager.default.attributesOfItem(atPath: fixture.folder + "/slipway.db")[.size]
                return (size as? Int ?? 0) > 4 << 20
            }
            #expect(written)
        }
    }

    @Test func aFullDatabaseSaysSoAndGoesOnAfterwards() async throws {
        try await withFolder { folder in
            let path = folder + "/slipway.db"
            let time = ManualTime()
            let small = DatabaseStore(try await SQLiteBackend(path: path, time: time, maximumPages: 60))
            let fixture = Fixture(factory: Self.factory, folder: folder, time: time, store: small)
            try await fixture.push()
            let hold = try await fixture.claimOne()
            var written = Data()
            let chunk = Data(repeating: 88, count: 10_000)
            let full = await #expect(throws: StoreError.self) {
                for _ in 0..<100 {
                    try await small.append(hold, log: chunk)
                    written.append(chunk)
                }
            }
            #expect(full?.kind == .noRoom)
            #expect(full?.description.hasPrefix("the database \(path) has no room: \"append\" met") == true)
            // The refused call left nothing, and what was there is there.
            #expect(try await small.log(1, offset: 0, limit: Int.max) == written)
            #expect(try await small.logLength(1) == written.count)
            let probe = await #expect(throws: StoreError.self) { try await small.probe() }
            #expect(probe?.kind == .noRoom)
            await #expect(throws: StoreError.self) {
                var delivery = fixture.delivery()
                delivery.body = chunk + chunk
                _ = try await small.accept(delivery, builds: [Fixture.newBuild(commit: nil)])
            }
            #expect(try await small.load() == QueueLoad(pending: 0, running: 1))
            // Room comes back: what lies in the log goes.
            try Database(path: path, access: .readWrite).script("DELETE FROM log_chunks")
            try await small.probe()
            try await small.append(hold, log: Data("on".utf8))
            try await fixture.push()
            await small.close()
        }
    }

    @Test func aCopyIsWholeAndItsOwnersOnly() async throws {
        try await Fixture.with(Self.factory) { fixture in
            for digit in 1...9 { try await fixture.push(digit) }
            for _ in 1...5 { try await fixture.finishOne() }
            let path = fixture.folder + "/copy.db"
            try await fixture.store.backup(to: path)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            func dump(_ path: String) throws -> [String] {
                let database = try Database(path: path, access: .readWrite)
                let check = try database.all("PRAGMA integrity_check") {
                    try $0.get("integrity_check", as: String.self)
                }
                return try check + Rows.all(in: database)
            }
            let copy = try dump(path)
            #expect(copy.first == "ok")
            #expect(try copy == dump(fixture.folder + "/slipway.db"))
        }
    }

    @Test func aCopyThatFailsLeavesNothing() async throws {
        try await Fixture.with(Self.factory) { fixture in
            for digit in 1...9 { try await fixture.push(digit) }
            // A page that is not one, far behind the first.
            let broken = fixture.folder + "/broken.db"
            try await fixture.store.backup(to: broken)
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: broken))
            for page in 2..<20 {
                try file.seek(toOffset: UInt64(page * 4096))
                try file.write(contentsOf: Data(repeating: 0xff, count: 4096))
            }
            try file.close()
            let connection = SQLiteConnection(path: broken, label: "test", time: SystemTime())
            try await connection.openReader()
            let path = fixture.folder + "/copy.db"
            let error = await #expect(throws: StoreError.self) { try await connection.copy(to: path) }
            #expect(error?.operation == "backup")
            #expect(!FileManager.default.fileExists(atPath: path))
            await connection.close()
        }
    }

    @Test func aClosedStoreSaysSo() async throws {
        try await Fixture.with(Self.factory) { fixture in
            await fixture.store.close()
            let error = await #expect(throws: StoreError.self) { try await fixture.store.probe() }
            #expect(error?.kind == .closed)
        }
    }

    @Test func whatIsNoDatabaseIsRefused() async throws {
        try await withFolder { folder in
            let path = folder + "/slipway.db"
            try Data(repeating: 65, count: 5000).write(to: URL(fileURLWithPath: path))
            let error = await #expect(throws: StoreError.self) {
                _ = try await DatabaseStore.open(sqlite: path, time: ManualTime())
            }
            #expect(error?.kind == .unreadable)
            await #expect(throws: StoreError.self) {
                _ = try await DatabaseStore.open(sqlite: folder + "/none/slipway.db", time: ManualTime())
            }
        }
    }

    @Test func aRowThatSlipwayDidNotWriteIsNamed() async throws {
        try await Fixture.with(Self.factory) { fixture in
            try await fixture.push()
            try database(fixture).script("UPDATE builds SET ref = 'HEAD'")
            let error = await #expect(throws: StoreError.self) { _ = try await fixture.store.build(1) }
            #expect(error?.kind == .unreadable)
            #expect(error?.description.contains("column \"ref\"") == true)
        }
    }
}
