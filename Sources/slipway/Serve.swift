import Checkout
import Dispatch
import Engine
import Foundation
import HTTP
import Intake
import Model
import Platform
import Queue
import Registry
import Settings
import Status
import Synchronization
import Worker

enum Serve: Command {
    static let name = "serve"
    static let usage = "serve [--config FILE] [--grace 30s]"
    static let about = """
        The service: HTTP, queue, workers. Prints its address on stdout once it listens. SIGHUP reads the settings again.
        """
    static let options: Set<String> = ["config", "grace"]
    static let flags: Set<String> = ["debug"]

    static func run(_ arguments: Arguments) async throws -> Exit {
        _ = try arguments.positionals(0...0, "")
        let log = Log(threshold: arguments.has("debug") ? .debug : .info)
        guard let grace = Int((arguments["grace"] ?? "30s").replacing("s", with: "")) else {
            throw UsageError("--grace \"\(arguments["grace"] ?? "")\" is not a number of seconds, such as 30s")
        }
        // Before anything else: a hangup that nobody waits for ends the process.
        let signals = Signals()
        let path = try Check.path(arguments)
        let settings: Settings
        do {
            settings = try Check.settings(at: path)
        } catch is SettingsErrors {
            throw ClientError("the settings have errors, so nothing was started")
        }
        let live = LiveSettings(settings)
        let reload = Reload(path: path, settings: live, log: log)
        signals.whenHungUp { reload.run() }
        try FileManager.default.createDirectory(
            atPath: settings.data, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // Held to the end: no other process works on these builds.
        let lock = try DataLock(directory: settings.data)
        defer { withExtendedLifetime(lock) {} }
        try await serve(live, signals, .seconds(grace), log)
        return .good
    }

    private static func serve(_ live: LiveSettings, _ signals: Signals, _ grace: Duration, _ log: Log) async throws {
        // For what only a restart changes.
        let settings = live.now
        let store = try await DatabaseStore.open(sqlite: settings.data + "/slipway.sqlite", time: SystemTime())
        for build in try await store.rescue(all: true, tries: 1 + settings.retries) {
            log.warning("a build was running when the service ended; it is pending again", ["build": build])
        }
        let workspaces = Workspaces(data: settings.data)
        try await workspaces.removeAll()
        let tools = Tools(
            settings: live, store: store, mirrors: Mirrors(directory: settings.data + "/mirrors", log: log),
            workspaces: workspaces,
            registry: try RegistryClient(
                settings: live, environment: ProcessInfo.processInfo.environment,
                userAgent: "slipway/\(Version.number)"),
            time: SystemTime(), log: log)
        let environment = ProcessInfo.processInfo.environment
        let engine = EngineFinder(log: log) {
            try await Engines.choose(settings.engineKind, environment: environment)
        }
        let receiver = receiver(live, store)
        let images = ImageCleaner(store: store, engine: engine, log: log)
        let disk = DiskWatch(tools: tools, engine: engine, images: images)
        let bases = BaseWatch(tools: tools) { build, detail in
            try await receiver.rebuild(build, because: detail, at: SystemTime().now)
        }
        let listening = Mutex(settings.listen)
        let api = API(
            settings: live, store: store, receiver: receiver, time: SystemTime(), log: log, version: Version.number,
            url: { live.now.url ?? "http://\(listening.withLock { $0 })" }, engine: { await engine.name },
            fault: {
                live.now.workers > 0 ? await engine.fault.map { "there is no engine, so builds wait: \($0)" } : nil
            },
            obstacle: { live.now.workers > 0 ? await disk.shortage() : nil }, look: { bases.look(soonAt: $0) },
            forecast: { repository, rule, ref, commit in
                guard let engine = await engine.engine() else {
                    throw ClientError("there is no engine: \(await engine.fault ?? "none was found")")
                }
                let found = try await tools.outlook(of: ref, at: commit, by: rule, in: repository, engine: engine)
                return Forecast(
                    commit: found.commit, inputs: found.inputs, reusable: found.reusable, reuse: found.reuse)
            })
        let router = api.router
        let server = HTTPServer(host: settings.listen.host, port: settings.listen.port, log: log) {
            await router.answer($0)
        }
        try await server.start()
        let address = ListenAddress(host: settings.listen.host, port: await server.port)
        listening.withLock { $0 = address }
        Terminal.print("http://\(address)")
        log.info(
            "listening", ["address": address, "repositories": settings.repositories.count, "workers": settings.workers])
        let poller = Poller(receiver: receiver, time: SystemTime(), log: log, list: listing)
        let polling = Task { await poller.run() }
        // Not Foundation's host name, which asks the name servers and may wait for them.
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let hostName = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let name = "\(hostName):\(ProcessInfo.processInfo.processIdentifier)"
        let sweeping = Task { await Sweeper(tools: tools).run() }
        let watching = Task { await bases.run() }
        let cleaning = Task { await Cleaner(tools: tools, images: images).run() }
        let greeting = Task { await Greeting(tools: tools).run() }
        await Worker(tools: tools, name: name, engine: engine, grace: grace, obstacle: { await disk.obstacle() })
            .run { await signals.stop() }
        for task in [polling, sweeping, watching, cleaning, greeting] { task.cancel() }
        for task in [polling, sweeping, watching, cleaning, greeting] { await task.value }
        await server.stop(grace: .seconds(5))
        await store.close()
        log.info("stopped")
    }

    private static func receiver(_ settings: LiveSettings, _ store: any Store) -> Receiver {
        Receiver(settings: settings, store: store) { repository in
            let remote = try await ask(repository, within: 10)
            guard let branch = remote.defaultBranch else { throw ClientError("the source tells no default branch") }
            return branch
        }
    }

    /// What the poll compares.
    @Sendable private static func listing(_ repository: Repository) async throws -> PollListing {
        do {
            let remote = try await ask(repository, within: 60)
            return PollListing(defaultBranch: remote.defaultBranch, refs: remote.refs)
        } catch let error as CheckoutError where error.isTooManyRequests {
            throw HostBusy("\(error)")
        }
    }

    private static func ask(_ repository: Repository, within seconds: Int) async throws -> RemoteRefs {
        let remote = try await withDeadline(.seconds(seconds)) {
            try await listRemote(source: repository.source, credentials: repository.credentials)
        }
        guard let remote else { throw ClientError("\(repository.source) gave no answer in \(seconds) s") }
        return remote
    }
}
