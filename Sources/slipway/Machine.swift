import Checkout
import Engine
import Foundation
import Intake
import Platform
import Queue
import Registry
import Settings
import Worker

/// This machine's part of the queue: what `serve` and `worker` have in common.
struct Machine: Sendable {
    let live: LiveSettings
    let store: any Store
    let tools: Tools
    let engine: EngineFinder
    let disk: DiskWatch
    let receiver: Receiver
    let bases: BaseWatch
    let log: Log
    /// Tells it from the other machines that share the queue.
    let name: String
    private let images: ImageCleaner
    /// Held to the end: no other process works in this data directory.
    private let lock: DataLock

    /// - Parameter name: nil is what the settings say, else the host's.
    static func open(_ live: LiveSettings, name: String?, _ log: Log) async throws -> Machine {
        // For what only a restart changes.
        let settings = live.now
        try settings.makeData()
        let lock = try DataLock(directory: settings.data)
        let store = try await settings.openStore()
        if !store.isShared {
            // Nobody else runs builds of this queue.
            for build in try await store.rescue(all: true, tries: 1 + settings.retries) {
                log.warning("a build was running when the service ended; it is pending again", ["build": build])
            }
        }
        let workspaces = Workspaces(data: settings.data)
        try await workspaces.removeAll()
        let environment = ProcessInfo.processInfo.environment
        let tools = Tools(
            settings: live, store: store, mirrors: Mirrors(directory: settings.data + "/mirrors", log: log),
            workspaces: workspaces,
            registry: try RegistryClient(
                settings: live, environment: environment, userAgent: "slipway/\(Version.number)"),
            time: SystemTime(), log: log)
        let engine = EngineFinder(log: log) {
            try await Engines.choose(settings.engineKind, environment: environment)
        }
        let images = ImageCleaner(store: store, engine: engine, log: log)
        let receiver = Receiver(settings: live, store: store, defaultBranch: Source.defaultBranch)
        let bases = BaseWatch(tools: tools) { build, detail in
            try await receiver.rebuild(build, because: detail, at: SystemTime().now)
        }
        return Machine(
            live: live, store: store, tools: tools, engine: engine,
            disk: DiskWatch(tools: tools, engine: engine, images: images), receiver: receiver, bases: bases, log: log,
            name: name ?? settings.worker.name ?? hostName, images: images, lock: lock)
    }

    /// Works until `stop` ends, gives running builds the grace, and closes the store.
    ///
    /// - Parameters:
    ///   - beside: what else is done meanwhile, until it is cancelled.
    ///   - end: what is ended before the store is closed.
    func work(
        grace: Duration, beside: [@Sendable () async -> Void] = [],
        until stop: @escaping @Sendable () async -> Void, end: () async -> Void = {}
    ) async {
        let cleaner = Cleaner(tools: tools, images: images)
        let greeting = Greeting(tools: tools)
        let sweeper = Sweeper(tools: tools)
        let upkeep: [@Sendable () async -> Void] = [
            cleaner.run, greeting.run, { await sweeper.run() }, { await bases.run() },
        ]
        let others = (beside + upkeep).map { body in Task { await body() } }
        await Worker(
            tools: tools, name: name, version: Version.number, engine: engine, grace: grace,
            obstacle: { await disk.obstacle() }
        )
        .run(until: stop)
        for task in others { task.cancel() }
        for task in others { await task.value }
        await end()
        do {
            try await store.leaveDuties(of: tools.instance)
        } catch {
            // They are others' in a moment anyway.
            log.debug("what one of many does could not be left to others", ["error": error])
        }
        await store.close()
        withExtendedLifetime(lock) { log.info("stopped") }
    }

    /// Not Foundation's, which asks the name servers and may wait for them.
    private static var hostName: String {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        return String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension Settings {
    /// Opens the database, and brings its schema to this version.
    func openStore() async throws -> DatabaseStore {
        switch database {
        case .sqlite: try await DatabaseStore.open(sqlite: sqlite, time: SystemTime())
        case .postgreSQL(let address): try await DatabaseStore.open(postgreSQL: address)
        }
    }

    /// Makes the directory of the data where it is not there.
    func makeData() throws {
        try FileManager.default.createDirectory(
            atPath: data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Where SQLite's file is.
    var sqlite: String { data + "/slipway.sqlite" }
}

/// How `serve` and `worker` begin.
struct Start {
    let live: LiveSettings
    let signals: Signals
    let grace: Duration
    let log: Log

    init(_ arguments: Arguments) throws {
        _ = try arguments.positionals(0...0, "")
        log = Log(threshold: arguments.has("debug") ? .debug : .info)
        guard let seconds = Int((arguments["grace"] ?? "30s").replacing("s", with: "")) else {
            throw UsageError("--grace \"\(arguments["grace"] ?? "")\" is not a number of seconds, such as 30s")
        }
        grace = .seconds(seconds)
        // Before anything else: a hangup that nobody waits for ends the process.
        signals = Signals()
        let path = try Check.path(arguments)
        do {
            live = LiveSettings(try Check.settings(at: path))
        } catch is SettingsErrors {
            throw ClientError("the settings have errors, so nothing was started")
        }
        let reload = Reload(path: path, settings: live, log: log)
        signals.whenHungUp { reload.run() }
    }
}
