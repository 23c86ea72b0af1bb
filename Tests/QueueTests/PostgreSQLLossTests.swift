import Foundation
import Model
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Queue

/// Connections and servers that are lost at the worst moment: nothing is lost with them, and nothing is done twice.
@Suite(.enabled(if: PostgreSQLServer.programs != nil, "needs the Debian package postgresql"))
struct PostgreSQLLossTests {
    /// Something that happens once.
    private final class Once: Sendable {
        private let done = Mutex(false)

        func run(_ body: () -> Void) {
            let isFirst = done.withLock { done in
                defer { done = true }
                return !done
            }
            if isFirst { body() }
        }
    }

    /// How much was accepted so far.
    private final class Done: Sendable {
        let state = Mutex((builds: 0, isAll: false))
    }

    /// A store whose connections go through a proxy.
    ///
    /// - Parameter isRented: the server keeps its log of changes to itself.
    private func with(isRented: Bool = false, _ body: (DatabaseStore, TCPProxy) async throws -> Void) async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let server = try #require(try await PostgreSQLServer.shared())
            let proxy = try TCPProxy(to: server.port)
            let name = URL(fileURLWithPath: fixture.folder).lastPathComponent
            if isRented {
                try await server.sql(
                    """
                    CREATE ROLE tenant LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO tenant;
                    GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO tenant;
                    REVOKE EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) FROM PUBLIC
                    """, in: name)
            }
            let user = isRented ? "tenant" : "slipway"
            let address = PostgreSQLAddress(url: "postgresql://\(user)@127.0.0.1:\(proxy.port)/\(name)", connections: 1)
            let store = try await DatabaseStore.open(postgreSQL: address, patience: .seconds(60))
            // The one that listens is there too.
            #expect(await eventually { proxy.connections == 2 })
            try await body(store, proxy)
            proxy.mode = .open
            await store.close()
            proxy.stop()
        }
    }

    /// Adds one build; `atCommit` is done just before the transaction is to be kept, the first time.
    private func accept(_ store: DatabaseStore, atCommit: @escaping @Sendable () -> Void) async throws {
        let build = try Fixture.newBuild(commit: Fixture.commit(1))
        let delivery = NewDelivery(
            repository: Fixture.repository, kind: .api, remoteAddress: "::1", receivedAt: Date(), force: true,
            builds: [build])
        try await change(store, atCommit: atCommit) {
            _ = try $0.accept([AcceptCall(deliveries: [delivery], room: Room())])
        }
    }

    private func change(
        _ store: DatabaseStore, atCommit: @escaping @Sendable () -> Void,
        _ body: @escaping @Sendable (Database) throws -> Void
    ) async throws {
        let once = Once()
        try await store.write("accept") { database in
            try body(database)
            // All of it has arrived.
            _ = try database.count("SELECT 1")
            once.run(atCommit)
        }
    }

    @Test(arguments: [false, true])
    func aCommitWhoseAnswerIsLostIsNotDoneTwice(isRented: Bool) async throws {
        try await with(isRented: isRented) { store, proxy in
            let before = proxy.connections
            let opening = Task {
                // The next connection asks what became of it.
                _ = await eventually { proxy.connections > before }
                proxy.mode = .open
            }
            try await accept(store) { proxy.mode = .cutting(after: 0) }
            await opening.value
            #expect(proxy.connections > before, "the connection was to be lost")
            #expect(try await store.builds(BuildQuery()).map(\.id) == [1])
        }
    }

    @Test func aCommitThatDoesNotArriveIsDoneAnew() async throws {
        try await with { store, proxy in
            let before = proxy.connections
            let opening = Task {
                _ = await eventually { proxy.connections > before }
                proxy.mode = .open
            }
            try await accept(store) { proxy.mode = .broken }
            await opening.value
            #expect(proxy.connections > before, "the connection was to be lost")
            let builds = try await store.builds(BuildQuery())
            #expect(builds.count == 1)
            // The number of the one that was undone is not given again.
            #expect(builds.first?.id == 2)
        }
    }

    /// What came to no disk before a crash leaves its number to the next transaction.
    @Test func aNumberThatTheCrashGaveToAnotherIsNoProof() async throws {
        let server = try await PostgreSQLServer(settings: ["wal_writer_delay=10s", "autovacuum=off"])
        let proxy = try TCPProxy(to: server.port)
        _ = try await server.database("crash")
        let address = PostgreSQLAddress(url: "postgresql://slipway@127.0.0.1:\(proxy.port)/crash", connections: 1)
        let store = try await DatabaseStore.open(postgreSQL: address, patience: .seconds(120))
        let (commits, atCommit) = AsyncStream<Void>.makeStream()
        let crashes = Task {
            for await _ in commits {
                await server.stop(atOnce: true)
                try await server.start()
                for _ in 0..<20 { try await server.sql("CREATE TABLE other (); DROP TABLE other", in: "crash") }
                proxy.mode = .open
            }
        }
        // The server is to be gone before it sees that the connection is: what it then undoes it writes down.
        @Sendable func crash() {
            proxy.mode = .held
            atCommit.yield()
        }
        try await accept(store, atCommit: crash)
        #expect(try await store.builds(BuildQuery()).count == 1)
        #expect(try await store.deliveries(DeliveryQuery()).count == 1)
        let hold = try #require(try await store.claim(limit: 1, worker: "w", lease: .seconds(600)).first?.hold)
        try await store.append(hold, log: Data("first ".utf8))
        try await change(store, atCommit: crash) { _ = try $0.append(hold, log: Data("second ".utf8)) }
        try await store.append(hold, log: Data("third".utf8))
        #expect(try await store.log(hold.build, offset: 0, limit: .max) == Data("first second third".utf8))
        atCommit.finish()
        try await crashes.value
        await store.close()
        proxy.stop()
        await server.stop()
    }

    /// Every backend is ended again and again while many write.
    @Test(arguments: [false, true])
    func nothingIsLostOrDoubledWhileConnectionsEnd(isServerStopped: Bool) async throws {
        let server = try await PostgreSQLServer()
        let address = PostgreSQLAddress(url: try await server.database("storm"))
        let stores = [
            try await DatabaseStore.open(postgreSQL: address, patience: .seconds(120)),
            try await DatabaseStore.open(postgreSQL: address, patience: .seconds(120)),
        ]
        let done = Done()
        let storm = Task {
            var ended = 0
            while !done.state.withLock(\.isAll) {
                if isServerStopped {
                    await server.stop(atOnce: ended % 2 == 0)
                    try await server.start()
                    ended += 1
                } else {
                    ended += try await server.endConnections(to: "storm")
                }
                // Something is done in between.
                let before = done.state.withLock(\.builds)
                _ = await eventually { done.state.withLock { $0.isAll || $0.builds > before } }
            }
            return ended
        }
        let told = try await withThrowingTaskGroup(of: [Build.ID].self) { group in
            for writer in 0..<8 {
                group.addTask {
                    let store = stores[writer % 2]
                    var ids: [Build.ID] = []
                    for number in 0..<(isServerStopped ? 12 : 25) {
                        let build = try Fixture.newBuild(commit: nil, ref: "refs/heads/\(writer)-\(number)")
                        let delivery = NewDelivery(
                            repository: Fixture.repository, kind: .api, remoteAddress: "::1", receivedAt: Date())
                        ids += try await store.accept(delivery, builds: [build]).builds.map(\.id)
                        done.state.withLock { $0.builds += 1 }
                    }
                    return ids
                }
            }
            return try await group.reduce(into: [Build.ID]()) { $0 += $1 }
        }
        done.state.withLock { $0.isAll = true }
        let ended = try await storm.value
        #expect(ended > 1, "there was no storm")
        let store = stores[0]
        #expect(Set(told).count == told.count)
        #expect(Set(try await store.builds(BuildQuery(limit: .max)).map(\.id)) == Set(told))
        #expect(try await store.deliveries(DeliveryQuery(limit: .max)).count == told.count)
        #expect(try await store.load() == QueueLoad(pending: told.count, running: 0))
        for store in stores { await store.close() }
        await server.stop()
    }

    @Test func aServerThatIsAwayIsToldOfAtOnceAndWaitedFor() async throws {
        let server = try await PostgreSQLServer()
        let address = PostgreSQLAddress(url: try await server.database("away"))
        let store = try await DatabaseStore.open(postgreSQL: address, patience: .seconds(60))
        await server.stop()
        let start = ContinuousClock.now
        let error = await #expect(throws: StoreError.self) { try await store.probe() }
        #expect(error?.kind == .unreachable)
        #expect(error?.description.contains("Connection refused") == true, "\(String(describing: error))")
        #expect(start.duration(to: .now) < .seconds(30), "a probe says how it is now")
        // Others wait until it is back.
        async let load = store.load()
        try await server.start()
        #expect(try await load == QueueLoad(pending: 0, running: 0))
        try await store.probe()
        await store.close()
        await server.stop()
    }

    @Test func whatAnotherHoldsForTooLongIsTold() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let server = try #require(try await PostgreSQLServer.shared())
            let name = URL(fileURLWithPath: fixture.folder).lastPathComponent
            let holder = Task {
                try await server.sql("BEGIN; LOCK TABLE probe; SELECT pg_sleep(120)", in: name)
            }
            let isHeld = "SELECT count(*) FROM pg_locks WHERE relation = 'probe'::regclass AND granted"
            let end = ContinuousClock.now + .seconds(60)
            while try await server.sql(isHeld, in: name) == "0", ContinuousClock.now < end {}
            let error = await #expect(throws: StoreError.self) { try await fixture.store.probe() }
            #expect(error?.kind == .busy)
            #expect(error?.description.contains("lock timeout (55P03)") == true, "\(String(describing: error))")
            // Nobody else is kept waiting by it.
            try await fixture.push()
            try await server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
            )
            _ = try? await holder.value
            try await fixture.store.probe()
        }
    }

    /// A database whose disk is full says so, takes what needs no room, and goes on when there is some.
    @Test(.enabled(if: getuid() == 0, "needs root, to mount a small disk"))
    func aFullDisk() async throws {
        let server = try await PostgreSQLServer()
        let disk = server.folder + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        try await Command.run(
            "mount", ["-t", "tmpfs", "-o", "size=14m,uid=65534,gid=65534,mode=700", "tmpfs", disk])
        defer { _ = umount2(disk, Int32(MNT_DETACH)) }
        try await server.sql("CREATE TABLESPACE small LOCATION '\(disk)'")
        try await server.sql("CREATE DATABASE brim TABLESPACE small")
        let store = try await DatabaseStore.open(postgreSQL: PostgreSQLAddress(url: server.url("brim")))
        let fixture = Fixture(factory: .postgreSQL, folder: disk, time: ManualTime(), store: store)
        try await fixture.push()
        let hold = try await fixture.claimOne()
        var written = Data()
        let full = await #expect(throws: StoreError.self) {
            for _ in 0..<2000 {
                let chunk = Crypto.randomBytes(50_000)
                try await store.append(hold, log: chunk)
                written.append(chunk)
            }
        }
        let text = full?.description ?? ""
        #expect(full?.kind == .noRoom)
        #expect(
            text.contains("has no room: \"append\" met") && text.contains("No space left on device (53100)"), "\(text)")
        // The refused call left nothing, and what was there is there.
        #expect(try await store.logLength(1) == written.count)
        #expect(try await store.log(1, offset: 0, limit: .max) == written)
        #expect(try await store.load() == QueueLoad(pending: 0, running: 1))
        try await Command.run("mount", ["-o", "remount,size=64m", disk])
        try await store.append(hold, log: Data("on".utf8))
        try await store.probe()
        try await fixture.push(2)
        await store.close()
        await server.stop()
    }
}
