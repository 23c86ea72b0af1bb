import Foundation
import Synchronization
import TestSupport

/// A database and its standby, which has all that was told to be kept.
final class Replicated: Sendable {
    let primary: PostgreSQLServer
    let standby: PostgreSQLServer
    private let isFailedOver = Mutex(false)

    private init(primary: PostgreSQLServer, standby: PostgreSQLServer) {
        (self.primary, self.standby) = (primary, standby)
    }

    static func make(_ first: NetworkHost, _ second: NetworkHost) async throws -> Replicated {
        let settings = ["fsync=off", "wal_receiver_status_interval=1s", "wal_retrieve_retry_interval=500ms"]
        let primary = try await PostgreSQLServer(on: first, settings: settings)
        let standby = try await PostgreSQLServer(on: second, settings: settings, following: primary.url())
        // Not in the standby's own settings: once it is promoted, nobody follows it.
        try await primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        try await primary.sql("SELECT pg_reload_conf()")
        _ = try await primary.database("slipway")
        return Replicated(primary: primary, standby: standby)
    }

    /// Of both, as the settings have it.
    var url: String { "postgresql://slipway@\(primary.place),\(standby.place)/slipway" }

    /// The one that takes changes.
    var current: PostgreSQLServer { isFailedOver.withLock { $0 } ? standby : primary }

    func failOver() async throws {
        try await standby.promote()
        isFailedOver.withLock { $0 = true }
    }

    /// As evidence.
    func keep(in folder: String) async {
        for (name, server) in [("primary", primary), ("standby", standby)] {
            try? Data(server.log.utf8).write(to: URL(filePath: "\(folder)/\(name).log"))
        }
        let dump = try? await Command.run("pg_dump", ["-h", current.folder, "-U", "slipway", "slipway"])
        try? Data((dump ?? "").utf8).write(to: URL(filePath: folder + "/database.sql"))
    }

    func stop() async {
        await primary.stop(atOnce: true)
        await standby.stop(atOnce: true)
    }
}

extension Ledger {
    init(_ database: Replicated) {
        self.init { question in
            try await database.current.sql("SELECT coalesce(json_agg(r), '[]') FROM (\(question)) r", in: "slipway")
        }
    }
}
