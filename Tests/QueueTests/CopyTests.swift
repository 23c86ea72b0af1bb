import Foundation
import Model
import Platform
import TestSupport
import Testing

@testable import Queue

/// A history that moves to another database, and back.
@Suite(.enabled(if: PostgreSQLServer.programs != nil, "needs the Debian package postgresql"))
struct CopyTests {
    /// Long ago, so that no lease of those who are copied is in force.
    private static let then = Date(timeIntervalSince1970: 1_600_000_000.123)

    /// Folders and a database of a test's own.
    struct Places: Sendable {
        let folder: String
        let postgreSQL: PostgreSQLAddress

        var first: CopyPlace { .sqlite(path: path("first")) }
        var shared: CopyPlace { .postgreSQL(postgreSQL) }
        var second: CopyPlace { .sqlite(path: path("second")) }

        func path(_ name: String) -> String { "\(folder)/\(name)/slipway.sqlite" }

        static func with(_ body: (Places) async throws -> Void) async throws {
            try await withFolder { folder in
                for name in ["first", "second"] {
                    try FileManager.default.createDirectory(
                        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
                }
                let server = try #require(try await PostgreSQLServer.shared())
                let name = URL(fileURLWithPath: folder).lastPathComponent
                let address = PostgreSQLAddress(url: try await server.database(name))
                do { try await body(Places(folder: folder, postgreSQL: address)) } catch {
                    try await server.drop(name)
                    throw error
                }
                try await server.drop(name)
            }
        }

        /// A history in the first place, paused or not.
        func fill(seed: UInt64, builds: Int, isPaused: Bool = false) async throws {
            let time = ManualTime(now: CopyTests.then)
            let store = try await DatabaseStore.open(sqlite: path("first"), time: time)
            var past = Past(store, time, seed: seed)
            try await past.fill(builds: builds)
            if !isPaused { _ = try await store.resume() }
            await store.close()
        }
    }

    /// What two copies of a history have alike, as texts.
    private func rows(_ path: String) throws -> [String] {
        let database = try Database(path: path, access: .readWrite)
        return try HistoryTable.all.map(\.name).appending("pause").flatMap { table in
            try Rows.rows(of: table, Rows.columns(of: table, in: database), in: database)
        }
            + database.all("SELECT repository || ' ' || builds AS line FROM pending WHERE builds > 0 ORDER BY 1") {
                "pending: \(try $0.get("line", as: String.self))"
            }
            + database.all("SELECT name || ' ' || seq AS line FROM sqlite_sequence ORDER BY 1") {
                "sequence: \(try $0.get("line", as: String.self))"
            }
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func aHistoryGoesToPostgreSQLAndBackWhole(_ seed: UInt64) async throws {
        try await Places.with { places in
            try await places.fill(seed: seed, builds: 90, isPaused: seed == 1)
            // The newest is no longer kept; its number is not given again.
            let first = try Database(path: places.path("first"), access: .readWrite)
            let others = HistoryTable.all[1].columns.map { "\"\($0.name)\"" }.filter { $0 != "\"id\"" }.joined(
                separator: ", ")
            try first.script(
                """
                INSERT INTO builds (id, \(others)) SELECT 1000, \(others) FROM builds WHERE state = 'failed' LIMIT 1;
                DELETE FROM builds WHERE id = 1000;
                """)
            // More than are copied at once, some with the same beginning of their key.
            try first.script(
                """
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
                INSERT INTO commit_tags SELECT 'registry.example.com/' || (i % 7), 'Z-' || i, 1 FROM n;
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
                INSERT INTO log_chunks SELECT 1 + i / 70, 1000000 + i, CAST(i AS BLOB) FROM n;
                """)
            for table in HistoryTable.all where table.name != "sources" {
                #expect(try !first.rows(of: table, after: nil).isEmpty, "nothing is tried of \(table.name)")
            }
            let there = try await DatabaseStore.copy(from: places.first, to: places.shared)
            let back = try await DatabaseStore.copy(from: places.shared, to: places.second)
            #expect(there == back)
            let count = try first.first("SELECT count(*) AS n FROM builds") { try $0.get("n", as: Int.self) }
            #expect(there.builds == count && there.deliveries == 90 && there.log > 0)
            let (before, after) = (try rows(places.path("first")), try rows(places.path("second")))
            #expect(before.count == after.count)
            for (one, other) in zip(before, after) where one != other { Issue.record("\(one)\n became \(other)") }
            #expect(before.contains("sequence: builds 1000"))
        }
    }

    /// Goes on as if nothing had been, on either database.
    @Test func aCopyIsAQueue() async throws {
        try await Places.with { places in
            try await places.fill(seed: 4, builds: 60)
            _ = try await DatabaseStore.copy(from: places.first, to: places.shared)
            let time = ManualTime(now: Self.then.addingTimeInterval(86_400))
            for place in [places.first, places.shared] {
                let store = try await open(place, time)
                let builds = try await store.builds(BuildQuery(limit: .max))
                #expect(try await store.paused() == nil)
                _ = try await store.checkIn(
                    WorkerNote(name: "w", labels: ["gpu", "arm64"], slots: 9, version: "1", instance: "b"))
                let running = builds.filter { [.building, .pushing].contains($0.state) }.map(\.id)
                #expect(!running.isEmpty)
                #expect(try await store.rescue(all: false, tries: 9).sorted() == running.sorted())
                let load = try await store.load()
                #expect(load.pending >= builds.filter { $0.state == .pending }.count)
                let claimed = try await store.claim(limit: .max, worker: "w", lease: .seconds(60))
                #expect(claimed.count == load.pending)
                #expect(try await store.load() == QueueLoad(pending: 0, running: claimed.count))
                let new = try await store.accept(
                    NewDelivery(
                        repository: Fixture.repository, kind: .api, remoteAddress: "::1", receivedAt: time.now,
                        builds: [Fixture.newBuild(commit: Fixture.commit(5))]))
                #expect(new.builds.map(\.id) == [Build.ID((builds.first?.id ?? 0) + 1)])
                #expect(try await store.deliveries(DeliveryQuery(limit: 1)).map(\.id) == [new.delivery])
                let build = try #require(try await store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
                #expect(build.id == new.builds.first?.id)
                try await store.startPushing(build.hold, commitTag: tag("sha-new"))
                try await store.pushed(build.hold, digest: Fixture.digest(7))
                guard case .granted = try await store.startMoving(build.hold, tag: tag("latest")) else {
                    Issue.record("the tag can't be moved")
                    return
                }
                try await store.moved(build.hold, tag: tag("latest"))
                try await store.finish(build.hold)
                await store.close()
            }
            let (one, other) = (try await open(places.first, time), try await open(places.shared, time))
            let ids = try await one.builds(BuildQuery(limit: .max)).map(\.id)
            #expect(ids == (try await other.builds(BuildQuery(limit: .max)).map(\.id)))
            for id in ids {
                let logs = (
                    try await one.log(id, offset: 0, limit: .max), try await other.log(id, offset: 0, limit: .max)
                )
                #expect(logs.0 == logs.1)
            }
            await one.close()
            await other.close()
        }
    }

    private func open(_ place: CopyPlace, _ time: ManualTime) async throws -> DatabaseStore {
        switch place {
        case .sqlite(let path): try await DatabaseStore.open(sqlite: path, time: time)
        case .postgreSQL(let address): try await DatabaseStore.open(postgreSQL: address, time: time)
        }
    }

    // MARK: Refusals

    /// - Returns: what is said of it.
    private func refusal(_ from: CopyPlace, _ to: CopyPlace) async -> String {
        let error = await #expect(throws: CopyError.self) { _ = try await DatabaseStore.copy(from: from, to: to) }
        return error?.description ?? ""
    }

    @Test func whatIsNotEmptyIsLeftAsItIs() async throws {
        try await Places.with { places in
            try await places.fill(seed: 5, builds: 9)
            _ = try await DatabaseStore.copy(from: places.first, to: places.shared)
            let again = await refusal(places.first, places.shared)
            #expect(again.contains("is not empty") && again.contains("\"deliveries\""), "\(again)")
            #expect(await refusal(places.shared, places.first).contains("is not empty"))
            #expect(await refusal(places.first, places.first).contains("onto itself"))
            let none = await refusal(.sqlite(path: places.folder + "/none.sqlite"), places.second)
            #expect(none.contains("there is no history to copy at \(places.folder)/none.sqlite"), "\(none)")
            #expect(!FileManager.default.fileExists(atPath: places.path("second")))
        }
    }

    @Test func anEmptyServersDatabaseIsNoHistory() async throws {
        try await Places.with { places in
            #expect(await refusal(places.shared, places.first).contains("there is no history to copy at postgresql://"))
        }
    }

    @Test func aDirectoryInUseIsLeftAlone() async throws {
        try await Places.with { places in
            try await places.fill(seed: 6, builds: 9)
            let lock = try DataLock(directory: places.folder + "/first")
            let error = await refusal(places.first, places.shared)
            #expect(
                error.contains("another slipway (process \(getpid())) serves") && error.contains("missing"), "\(error)")
            #expect(await refusal(places.shared, places.first).contains("another slipway"))
            withExtendedLifetime(lock) {}
        }
    }

    @Test func aServersDatabaseInUseIsLeftAlone() async throws {
        try await Places.with { places in
            let store = try await DatabaseStore.open(postgreSQL: places.postgreSQL)
            let note = WorkerNote(name: "mill", labels: [], slots: 1, version: "1", instance: "a")
            // An hour ahead, so that the moment lasts on a busy machine.
            let ahead = try await DatabaseStore.open(
                postgreSQL: places.postgreSQL, time: ManualTime(now: Date(timeIntervalSinceNow: 3600)))
            _ = try await ahead.checkIn(note)
            await ahead.close()
            #expect(
                await refusal(places.shared, places.second).contains("in use: worker mill was there a moment ago; stop")
            )
            try await store.checkOut(note)
            #expect(try await store.takeDuty("poll", by: "front", for: .seconds(3600)))
            #expect(await refusal(places.shared, places.second).contains("in use: front does \"poll\" for all; stop"))
            try await store.leaveDuties(of: "front")
            _ = try await store.accept(
                NewDelivery(
                    repository: Fixture.repository, kind: .api, remoteAddress: "::1", receivedAt: Date(),
                    builds: [Fixture.newBuild(commit: nil)]))
            let build = try #require(try await store.claim(limit: 1, worker: "mill", lease: .seconds(3600)).first)
            #expect(await refusal(places.shared, places.second).contains("in use: build 1 runs on mill; stop"))
            try await store.giveBack(build.hold)
            #expect(try await DatabaseStore.copy(from: places.shared, to: places.second).builds == 1)
            await store.close()
        }
    }

    // MARK: Copies that do not come to their end

    @Test func aSourceThatChangesIsNoted() async throws {
        try await Places.with { places in
            try await places.fill(seed: 7, builds: 30)
            _ = try await DatabaseStore.copy(from: places.first, to: places.shared)
            let error = await #expect(throws: CopyError.self) {
                _ = try await DatabaseStore.copy(from: places.shared, to: places.second) { _ in
                    // As a service that only receives would.
                    let database = try? Database(PostgreSQLSession(places.postgreSQL, sender: "test", time: nil))
                    try? database?.run("SELECT nextval('builds_id_seq')")
                    _ = try? database?.count("SELECT 1")
                }
            }
            #expect(error?.description.contains("was changed while it was copied") == true)
            for end in ["", "-wal", "-shm"] {
                #expect(!FileManager.default.fileExists(atPath: places.path("second") + end))
            }
        }
    }

    @Test func aPartOfACopyBuildsNothing() async throws {
        try await Places.with { places in
            try await places.fill(seed: 8, builds: 30)
            let store = try await DatabaseStore.open(postgreSQL: places.postgreSQL)
            let server = try #require(try await PostgreSQLServer.shared())
            let name = URL(fileURLWithPath: places.folder).lastPathComponent
            try await server.sql("ALTER TABLE log_chunks ADD CHECK (length(bytes) < 0)", in: name)
            await #expect(throws: StoreError.self) {
                _ = try await DatabaseStore.copy(from: places.first, to: places.shared)
            }
            #expect(try await store.builds(BuildQuery()).count > 9)
            #expect(try await store.claim(limit: 99, worker: "w", lease: .seconds(9)).isEmpty)
            #expect(try await store.paused()?.reason?.contains("whose copying has not ended") == true)
            let again = await refusal(places.first, places.shared)
            #expect(again.contains("put an empty database in its place"), "\(again)")
            await store.close()
        }
    }
}

extension Array {
    fileprivate func appending(_ element: Element) -> [Element] { self + [element] }
}
