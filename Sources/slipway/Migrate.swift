import Foundation
import Queue
import Settings

enum Migrate: Command {
    static let name = "migrate"
    static let usage = "migrate [--config FILE]"
    static let about = """
        Brings the schema of the settings' database to this version, or makes it, and ends; "serve" and "worker" do it too
        when they start. On PostgreSQL many may do it at once; SQLite's file must not be in use.
        """
    static let options: Set<String> = ["config"]
    static let flags: Set<String> = []

    static func run(_ arguments: Arguments) async throws -> Exit {
        _ = try arguments.positionals(0...0, "")
        let settings = try Backup.settings(arguments)
        var lock: DataLock?
        if settings.database == .sqlite {
            try settings.makeData()
            lock = try DataLock(directory: settings.data)
        }
        let store = try await settings.openStore()
        let schema = store.schema
        await store.close()
        withExtendedLifetime(lock) {}
        let before = schema.before == 0 ? "new" : schema.before == schema.now ? "as before" : "before \(schema.before)"
        Terminal.print("schema \(schema.now), \(before)")
        return .good
    }
}
