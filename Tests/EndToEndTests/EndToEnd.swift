import Foundation
import TestSupport
import Testing

/// Real engines, registries and Git servers; one test at a time, since they share the machine.
@Suite(.serialized) struct EndToEnd {}

enum Machine {
    /// Whether the programs are installed; what needs a missing one is skipped visibly.
    static func has(_ programs: String...) -> Bool {
        let folders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/sbin"]
        return programs.allSatisfy { program in
            folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
        }
    }

    static let isRoot = getuid() == 0

    /// Whether the services of these tests keep their queue on PostgreSQL: SLIPWAY_TEST_DATABASE=postgresql.
    static let isOnPostgreSQL = ProcessInfo.processInfo.environment["SLIPWAY_TEST_DATABASE"] == "postgresql"

    /// The line of the settings that tells a service where its queue is: a database of its own for each folder.
    static func databaseSetting(for folder: String) async throws -> String {
        guard isOnPostgreSQL else { return "database: sqlite" }
        let server = try #require(try await PostgreSQLServer.shared(), "PostgreSQL is not installed")
        return "database: \(try await server.database(URL(fileURLWithPath: folder).lastPathComponent))"
    }
}
