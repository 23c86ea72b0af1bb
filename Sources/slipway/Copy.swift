import Foundation
import Model
import Platform
import Queue
import Settings
import Synchronization

enum Copy: Command {
    static let name = "copy"
    static let usage = "copy --from ADDRESS --to ADDRESS [--config FILE]"
    static let about = """
        Copies the whole history to another database, which must be empty: "sqlite" (the settings' file), "sqlite:FILE" or
        "postgresql://…" (with the settings' password where they name the same, else that of PGPASSWORD). Stop everything
        that uses either first; then set "database" to the new one and start.
        """
    static let options: Set<String> = ["config", "from", "to"]
    static let flags: Set<String> = []

    static func run(_ arguments: Arguments) async throws -> Exit {
        _ = try arguments.positionals(0...0, "")
        let (from, to) = (try address(arguments, "from"), try address(arguments, "to"))
        let settings = try Backup.settings(arguments)
        if to == "sqlite" { try settings.makeData() }
        let told = Mutex(ContinuousClock.now)
        let copied = try await DatabaseStore.copy(
            from: try place(from, settings), to: try place(to, settings)
        ) { copied in
            let isTime = told.withLock { told in
                guard told.duration(to: .now) > .seconds(2) else { return false }
                told = .now
                return true
            }
            if isTime { Terminal.talk("slipway copy: \(copied.words) …") }
        }
        Terminal.print(copied.words)
        return .good
    }

    private static func address(_ arguments: Arguments, _ option: String) throws(UsageError) -> String {
        guard let text = arguments[option] else { throw UsageError("--\(option) is missing") }
        return text
    }

    private static func place(_ text: String, _ settings: Settings) throws(UsageError) -> CopyPlace {
        if text == "sqlite" { return .sqlite(path: settings.sqlite) }
        if text.hasPrefix("sqlite:"), text.count > 7 { return .sqlite(path: String(text.dropFirst(7))) }
        guard text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") else {
            throw UsageError(
                "\"\(text)\" is no address of a database: sqlite, sqlite:FILE or postgresql://user@host/name")
        }
        if case .postgreSQL(let known) = settings.database, known.url == text { return .postgreSQL(known) }
        return .postgreSQL(PostgreSQLAddress(url: text))
    }
}

extension Copied {
    fileprivate var words: String { "builds \(builds), deliveries \(deliveries), log \(log.bytesShown)" }
}
