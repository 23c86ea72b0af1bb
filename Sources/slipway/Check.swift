import Checkout
import Engine
import Foundation
import Model
import Platform
import Registry
import Settings
import Worker

enum Check: Command {
    static let name = "check"
    static let usage = "check [--connect]"
    static let about = "Reads the settings and names every error; with --connect asks each Git source and registry too."
    static let options: Set<String> = ["config"]
    static let flags: Set<String> = ["connect"]

    /// The settings, their warnings told.
    ///
    /// - Throws: `SettingsErrors`, each of them told.
    static func settings(_ arguments: Arguments) throws -> Settings {
        try settings(at: path(arguments))
    }

    /// Where the settings are.
    static func path(_ arguments: Arguments) throws(UsageError) -> String {
        do {
            return try SettingsFile.locate(
                flag: arguments["config"], environment: ProcessInfo.processInfo.environment)
        } catch {
            throw UsageError("\(error)")
        }
    }

    /// As `settings(_:)`.
    static func settings(at path: String) throws -> Settings {
        do {
            let (settings, warnings) = try SettingsFile.read(
                path: path, environment: ProcessInfo.processInfo.environment)
            for warning in warnings { Terminal.talk("\(warning) (warning)") }
            return settings
        } catch {
            for finding in error.findings { Terminal.talk("\(finding)") }
            throw error
        }
    }

    static func run(_ arguments: Arguments) async throws -> Exit {
        _ = try arguments.positionals(0...0, "")
        let settings: Settings
        do {
            settings = try Self.settings(arguments)
        } catch let errors as SettingsErrors {
            Terminal.talk("slipway check: \(errors.findings.count) \(errors.findings.count == 1 ? "error" : "errors")")
            return .usage
        }
        let refused = refusedLimits(settings) { Engines.refusal(of: $0, by: settings.engineKind) }
        guard refused.isEmpty else { return .usage }
        let rules = settings.repositories.reduce(0) { $0 + $1.rules.count }
        Terminal.print("the settings are good: repositories \(settings.repositories.count), rules \(rules)")
        guard arguments.has("connect") else { return .good }
        return try await connect(settings) ? .good : .couldNot
    }

    /// Tells of the rules with limits that the engine can't hold builds to.
    private static func refusedLimits(
        _ settings: Settings, _ refusal: (Rule.Limits) -> String?
    ) -> [String] {
        let refused = settings.repositories.flatMap { repository in
            repository.rules.compactMap { rule in
                refusal(rule.limits).map { "\(repository.name), rule \(rule.number): \($0)" }
            }
        }
        for sentence in refused { Terminal.talk("slipway check: \(sentence)") }
        return refused
    }

    /// Warns of caches that the engine can't use; images are built all the same.
    private static func tellUselessCaches(_ settings: Settings, _ engine: any Engine) {
        for repository in settings.repositories {
            for rule in repository.rules {
                guard let sentence = engine.uselessCaches(of: rule, image: repository.image) else { continue }
                Terminal.talk("slipway check: \(repository.name), rule \(rule.number): \(sentence) (warning)")
            }
        }
    }

    private static let patience = Duration.seconds(30)

    /// - Returns: whether all answered.
    private static func connect(_ settings: Settings) async throws -> Bool {
        let registry = try RegistryClient(
            settings: LiveSettings(settings), environment: ProcessInfo.processInfo.environment,
            userAgent: "slipway/\(Version.number)")
        var good = true
        func ask(_ what: String, _ question: @escaping @Sendable () async throws -> String) async {
            do {
                guard let answer = try await withDeadline(patience, question) else {
                    throw ClientError("no answer in \(Int(patience.seconds)) s")
                }
                Terminal.print("\(Terminal.coloured("good", .green))  \(what): \(answer)")
            } catch {
                good = false
                Terminal.print("\(Terminal.coloured("bad", .red))   \(what): \(error)")
            }
        }
        for repository in settings.repositories {
            await ask("\(repository.name) source \(repository.source)") {
                let remote = try await listRemote(source: repository.source, credentials: repository.credentials)
                let branches = remote.refs.keys.filter { $0.kind == .branch }.count
                return
                    "default branch \(remote.defaultBranch ?? "unknown"), branches \(branches), tags \(remote.refs.count - branches)"
            }
            await ask("\(repository.name) image \(repository.image)") {
                try await registry.checkAccess(image: repository.image)
                return "it can be pushed to"
            }
        }
        if settings.workers > 0, settings.repositories.contains(where: { $0.rules.contains(where: \.asksTheEngine) }) {
            await ask("engine \(settings.engine.rawValue)") {
                let environment = ProcessInfo.processInfo.environment
                let engine = try await Engines.choose(settings.engineKind, environment: environment)
                let refused = refusedLimits(settings) { engine.refusal(of: $0) }
                tellUselessCaches(settings, engine)
                guard refused.isEmpty else { throw ClientError("it can't hold \(refused.count) of the rules' limits") }
                return engine.name
            }
        }
        return good
    }
}

extension Rule {
    /// Whether it depends on the engine what of the rule can be had.
    fileprivate var asksTheEngine: Bool { !limits.names.isEmpty || registryCache || !cacheFrom.isEmpty }
}

extension Settings {
    var engineKind: EngineKind { EngineKind(rawValue: engine.rawValue) ?? .auto }
}
