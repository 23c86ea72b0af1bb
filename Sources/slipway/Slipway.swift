import Foundation
import Model
import Platform

/// The program: one subcommand a run.
@main
struct Slipway {
    static let commands = [
        Entry(Serve.self, Serve.run), Entry(WorkerCommand.self, WorkerCommand.run), Entry(Check.self, Check.run),
        Entry(Status.self, Status.run), Entry(Workers.self, Workers.run),
        Entry(Logs.self, Logs.run), Entry(Trigger.self, Trigger.run), Entry(Rules.self, Rules.run),
        Entry(Cancel.self, Cancel.run), Entry(Retry.self, Retry.run), Entry(Pause.self, Pause.run),
        Entry(Resume.self, Resume.run), Entry(Drain.self, Drain.run), Entry(Backup.self, Backup.run),
        Entry(Copy.self, Copy.run), Entry(Migrate.self, Migrate.run),
        Entry(Deliveries.self, Deliveries.run), Entry(Delivery.self, Delivery.run),
        Entry(Token.self, Token.run), Entry(Import.self, Import.run), Entry(Version.self, Version.run),
        Entry(Help.self, Help.run),
    ]

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        Memory.keepFewHeaps()
        var words = Array(CommandLine.arguments.dropFirst())
        let name = words.isEmpty ? "help" : words.removeFirst()
        let aliases = ["--version": "version", "-v": "version", "--help": "help", "-h": "help"]
        guard let command = commands.first(where: { $0.name == aliases[name] ?? name }) else {
            let hint = Nearest.word(to: name, in: commands.map(\.name)).map { "; nearest is \"\($0)\"" } ?? ""
            Terminal.talk("slipway: there is no command \"\(name)\"\(hint). \"slipway help\" lists them.")
            exit(Exit.usage.rawValue)
        }
        if words.contains("--help") || words.contains("-h") {
            let common = Help.common.filter { command.options.contains($0.option) }.map(\.line)
            let notes = common.isEmpty ? "" : "\n\n\(common.joined(separator: "\n"))"
            Terminal.print("usage: slipway \(command.usage)\n\n\(command.about)\(notes)")
            exit(Exit.good.rawValue)
        }
        do {
            let arguments = try Arguments(words, options: command.options, flags: command.flags)
            exit(try await command.run(arguments).rawValue)
        } catch let error as UsageError {
            Terminal.talk("slipway \(command.name): \(error)\nusage: slipway \(command.usage)")
            exit(Exit.usage.rawValue)
        } catch {
            Terminal.talk("slipway \(command.name): \(error)")
            exit(Exit.couldNot.rawValue)
        }
    }
}

/// A subcommand as a value.
struct Entry: Sendable {
    let name, usage, about: String
    let options, flags: Set<String>
    let run: @Sendable (Arguments) async throws -> Exit

    init<C: Command>(_ command: C.Type, _ run: @escaping @Sendable (Arguments) async throws -> Exit) {
        name = C.name
        usage = C.usage
        about = C.about
        options = C.options
        flags = C.flags
        self.run = run
    }
}

enum Exit: Int32 {
    case good = 0
    case usage = 1
    /// Could not ask or serve.
    case couldNot = 2
    case buildFailed = 3
}

/// One subcommand.
protocol Command {
    static var name: String { get }
    /// What follows `slipway` on the command line.
    static var usage: String { get }
    /// One sentence.
    static var about: String { get }
    /// Options with a value, without `--`.
    static var options: Set<String> { get }
    /// Options without one.
    static var flags: Set<String> { get }
    static func run(_ arguments: Arguments) async throws -> Exit
}

enum Help: Command {
    static let name = "help"
    static let usage = "help"
    static let about = "Lists the commands."
    static let options: Set<String> = []
    static let flags: Set<String> = []

    /// Options that many commands take.
    static let common = [
        (
            option: "config",
            line: "--config FILE   the settings (else $SLIPWAY_CONFIG, ./slipway.yaml, /etc/slipway/slipway.yaml)"
        ),
        (option: "url", line: "--url URL       the service (else $SLIPWAY_URL, else what the settings say)"),
        (option: "token", line: "--token TOKEN   for its API (else $SLIPWAY_TOKEN)"),
    ]

    static func run(_ arguments: Arguments) async throws -> Exit {
        Terminal.print("Slipway builds container images from Git pushes.\n")
        for command in Slipway.commands {
            let about = command.about.replacing("\n", with: "\n      ")
            Terminal.print("  slipway \(command.usage)\n      \(about)")
        }
        Terminal.print(
            """

            \(common.map(\.line).joined(separator: "\n"))
            Exit codes: 0 good, 1 usage, 2 could not ask or serve, 3 the build failed.
            """)
        return .good
    }
}

enum Version: Command {
    static let name = "version"
    static let usage = "version"
    static let about = "Says which version this is."
    static let options: Set<String> = []
    static let flags: Set<String> = []
    static let number = "0.1.0"

    static func run(_ arguments: Arguments) async throws -> Exit {
        Terminal.print("slipway \(number)")
        return .good
    }
}
