import Foundation
import Model
import Queue
import TestSupport
import Testing

@Suite(.enabled(if: PostgreSQLServer.programs != nil, "PostgreSQL is not installed"))
struct CancelledReadTests {
    /// Each build ends with a read that is cancelled, since who listens for its changes hears of its end.
    @Test func keepsItsConnection() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let build = try await fixture.push().id
            let server = try #require(try await PostgreSQLServer.shared())
            let database = URL(fileURLWithPath: fixture.folder).lastPathComponent
            func connections() async throws -> Set<Substring> {
                let pids = try await server.sql("SELECT pid FROM pg_stat_activity WHERE datname = '\(database)'")
                return Set(pids.split(separator: "\n"))
            }
            _ = try await fixture.store.build(build)
            let before = try await connections()
            for _ in 0..<100 {
                let read = Task { try await fixture.store.build(build) }
                await Task.yield()
                read.cancel()
                _ = try? await read.value
            }
            #expect(try await fixture.store.build(build)?.id == build)
            let after = try await connections()
            #expect(before.isSubset(of: after), "\(before), \(after)")
        }
    }
}
