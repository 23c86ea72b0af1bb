import Foundation
import TestSupport

/// The service with its own database, on a small disk and by a clock that can be stepped, and a registry behind a proxy.
struct OneMachine: Sendable {
    let world: World
    let registry: RegistryServer
    let proxy: TCPProxy
    let keeper: Keeper
    /// Whether `data` is a small file system of its own, which can be filled.
    let hasSmallDisk: Bool
    /// Nil where the machine has none.
    let fakeTime: FakeTime?

    var data: String { world.folder + "/data" }
    private static let megabytes = 512

    /// Makes all of it, and starts it but for the service.
    static func make(_ options: Options, docker: DockerDaemon?) async throws -> OneMachine {
        let folder = try World.folder(options)
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
        let (counts, findings) = (Counts(), Findings())
        let registry = try await RegistryServer.start()
        let proxy = try TCPProxy(to: registry.port)
        var origins: [Origin] = []
        for name in World.repositories { origins.append(try await Origin(name, in: folder)) }
        let hasSmallDisk = getuid() == 0 && mount("tmpfs", folder + "/data", "tmpfs", 0, "size=\(megabytes)m") == 0
        let fakeTime = try await FakeTime.make(in: folder)
        let place = """
            listen: 127.0.0.1:0
            data: "\(folder)/data"
            workers: 4
            poll: \(options.leavesOutPoll ? "off" : "10s")
            """
        let settings = World.settings(place, options, "127.0.0.1:\(proxy.port)", origins)
        let config = folder + "/slipway.yaml"
        try Data(settings.utf8).write(to: URL(filePath: config))
        var variables = try options.engine.prepare(in: folder)
        if let docker { variables = docker.environment.merging(variables) { $1 } }
        let environment = variables.merging(fakeTime?.environment ?? [:]) { $1 }
        let keeper = Keeper(counts: counts, findings: findings) {
            try await Service.start(config: config, environment: environment, grace: "2s")
        }
        let send: Send = { method, path, headers, body in
            try? await keeper.running().request(method, path, headers: headers, body: body, timeout: 40)
        }
        let world = World(
            folder: folder, options: options, origins: origins, send: send,
            desk: Desk(counts: counts, findings: findings, send: send),
            ledger: Ledger(sqlite: folder + "/data/slipway.sqlite"), images: RegistryFiles(registry.storage),
            // Longer than a build waits for another attempt, where the clock can't be put forward.
            counts: counts, findings: findings, patience: fakeTime == nil ? .seconds(900) : .seconds(120))
        return OneMachine(
            world: world, registry: registry, proxy: proxy, keeper: keeper, hasSmallDisk: hasSmallDisk,
            fakeTime: fakeTime)
    }

    /// Ends what is left, and removes the folder unless it is evidence.
    func close(keeping: Bool) {
        proxy.stop()
        registry.stop()
        fakeTime?.close()
        if keeping {
            registry.keep(in: world.folder)
            return
        }
        if hasSmallDisk { umount2(data, Int32(MNT_DETACH)) }
        Mounts.remove(world.folder)
    }

    /// - Throws: `Found` where not every source was looked at after a minute.
    func waitForTheFirstLook() async throws {
        let end = ContinuousClock.now + .seconds(60)
        while try await world.ledger.sourcesSeen() < world.origins.count {
            guard ContinuousClock.now < end else { throw Found("not every source is looked at after a minute") }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}

extension RegistryServer {
    /// As evidence.
    func keep(in folder: String) {
        try? Data(log.joined(separator: "\n").utf8).write(to: URL(filePath: folder + "/registry.log"))
        try? FileManager.default.copyItem(atPath: storage.path, toPath: folder + "/registry")
    }
}
