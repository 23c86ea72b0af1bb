import Foundation
import Model
import Platform
import TestSupport
import Testing

@testable import Queue

/// Behind PgBouncer, which gives each transaction another connection of the server.
@Suite(.enabled(if: PgBouncer.isAvailable, "needs the Debian packages postgresql and pgbouncer"))
struct PostgreSQLPoolerTests {
    @Test func twoShareAQueueThroughFewConnections() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let server = try #require(try await PostgreSQLServer.shared())
            let pooler = try await PgBouncer(to: server.port, connections: 3)
            let name = URL(fileURLWithPath: fixture.folder).lastPathComponent
            let address = PostgreSQLAddress(url: pooler.url(name), connections: 4, isPooled: true)
            let stores = [
                try await DatabaseStore.open(postgreSQL: address), try await DatabaseStore.open(postgreSQL: address),
            ]
            let changes = stores[1].changes(.build(1))
            let ids = try await withThrowingTaskGroup(of: [Build.ID].self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        let store = stores[writer % 2]
                        var ids: [Build.ID] = []
                        for number in 0..<10 {
                            let build = try Fixture.newBuild(
                                commit: Fixture.commit(number), ref: "refs/heads/\(writer)-\(number)")
                            let delivery = NewDelivery(
                                repository: Fixture.repository, kind: .api, remoteAddress: "::1", receivedAt: Date())
                            _ = try await store.accept(delivery, builds: [build])
                            for build in try await store.claim(limit: 1, worker: "w\(writer)", lease: .seconds(60)) {
                                try await store.append(build.hold, log: Data([0, 255, 10]))
                                try await store.fail(build.hold, Failure(.build, .build, "no"))
                                ids.append(build.id)
                            }
                        }
                        return ids
                    }
                }
                return try await group.reduce(into: [Build.ID]()) { $0 += $1 }
            }
            #expect(Set(ids).count == ids.count, "a build was claimed twice")
            let left = try await stores[0].claim(limit: .max, worker: "w", lease: .seconds(60)).count
            #expect(ids.count + left == 80)
            // What another told of is seen by looking.
            let heard = await withDeadline(.seconds(60)) { await changes.first { true } != nil }
            #expect(heard == true)
            // What the server says otherwise counts for nothing.
            let set = try await stores[0].read("test") { database in
                try database.first(
                    "SELECT current_setting('lock_timeout') || ' ' || current_setting('timezone') AS set"
                ) { try $0.get("set", as: String.self) }
            }
            #expect(set == "10s UTC")
            for store in stores { await store.close() }
            pooler.stop()
        }
    }

    /// Whoever forgets the setting is told of it.
    @Test func aPoolerThatTheSettingsDoNotNameIsSuspected() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let server = try #require(try await PostgreSQLServer.shared())
            let pooler = try await PgBouncer(to: server.port, connections: 3)
            let name = URL(fileURLWithPath: fixture.folder).lastPathComponent
            let address = PostgreSQLAddress(url: pooler.url(name), connections: 4)
            let error = await #expect(throws: StoreError.self) {
                let store = try await DatabaseStore.open(postgreSQL: address)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 { group.addTask { for _ in 0..<50 { try await store.probe() } } }
                    try await group.waitForAll()
                }
            }
            #expect(error?.description.contains("set \"pooler: transaction\"") == true, "\(String(describing: error))")
            pooler.stop()
        }
    }
}
