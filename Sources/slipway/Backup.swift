import Foundation
import Queue
import Settings

enum Backup: Command {
    static let name = "backup"
    static let usage = "backup FILE [--config FILE]"
    static let about = """
        Copies the database to a new file, as it is at one moment, while the service runs or while it doesn't. To restore
        it: stop the service, put the file in place of slipway.sqlite in "data", remove slipway.sqlite-wal and -shm, start.
        """
    static let options: Set<String> = ["config"]
    static let flags: Set<String> = []

    static func run(_ arguments: Arguments) async throws -> Exit {
        let file = try arguments.positionals(1...1, "the file to write")[0]
        let settings = try settings(arguments)
        guard settings.database == .sqlite else {
            throw ClientError(
                "\"database\" is PostgreSQL, whose backups are its own: pg_dump while the service runs, or the server's continuous archiving"
            )
        }
        let database = settings.sqlite
        guard FileManager.default.fileExists(atPath: database) else {
            throw ClientError("there is no database \(database); was the service ever started with these settings?")
        }
        guard !FileManager.default.fileExists(atPath: file) else {
            throw ClientError("\(file) is there already and is not overwritten; name a new file")
        }
        let builds = try await DatabaseStore.backup(ofSQLite: database, to: file)
        let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
        Terminal.print("\(file): \(size) bytes, builds \(builds)")
        return .good
    }

    /// For a command that needs no more of them than where the database is.
    static func settings(_ arguments: Arguments) throws -> Settings {
        do {
            return try Check.settings(arguments)
        } catch is SettingsErrors {
            throw ClientError("the settings have errors, so where the database is is not known")
        }
    }
}
