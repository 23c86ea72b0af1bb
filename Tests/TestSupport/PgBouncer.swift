import Foundation

/// A pooler in transaction mode, before a PostgreSQL server on loopback.
package final class PgBouncer: Sendable {
    package let port: UInt16
    private let daemon: Daemon
    private let folder: TemporaryDirectory

    package static let isAvailable = PostgreSQLServer.programs != nil && Command.path(of: "pgbouncer") != nil

    /// - Parameter connections: how many of the server it has for each database.
    package init(to server: UInt16, connections: Int) async throws {
        port = try FreePort.pick()
        folder = try TemporaryDirectory()
        try folder.write("\"slipway\" \"\"\n", to: "users")
        let settings = try folder.write(
            """
            [databases]
            * = host=127.0.0.1 port=\(server)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = trust
            auth_file = \(folder["users"])
            pool_mode = transaction
            default_pool_size = \(connections)
            """, to: "pgbouncer.ini")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        let (program, words) = PostgreSQLFiles.asUser(Command.path(of: "pgbouncer") ?? "pgbouncer", [settings])
        daemon = try Daemon(program, words, log: folder["log"])
        try await daemon.waitUntilReady(port: port)
    }

    package func url(_ database: String) -> String { "postgresql://slipway@127.0.0.1:\(port)/\(database)" }

    package func stop() { daemon.stop() }
}
