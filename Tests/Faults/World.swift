import Foundation
import TestSupport

/// Everything that a run is made of: repositories, a registry behind a proxy, the service, and one folder for all.
struct World: Sendable {
    static let repositories = ["acme/one", "acme/two", "acme/three"]

    let folder: String
    let options: Options
    let registry: RegistryServer
    let proxy: TCPProxy
    let origins: [Origin]
    let keeper: Keeper
    let desk: Desk
    let counts: Counts
    let findings: Findings
    /// Whether `data` is a small file system of its own, which can be filled.
    let hasSmallDisk: Bool
    /// Nil where the machine has none.
    let fakeTime: FakeTime?

    var data: String { folder + "/data" }
    var journal: Journal { Journal(path: folder + "/journal") }
    private static let megabytes = 512

    /// Makes all of it, and starts it.
    static func make(_ options: Options, docker: DockerDaemon?) async throws -> World {
        let folder = NSTemporaryDirectory().replacing(/\/$/, with: "") + "/slipway-faults-\(options.seed)-\(getpid())"
        for name in ["bin", "images", "running", "data", "tmp"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let counts = Counts()
        let findings = Findings()
        let registry = try await RegistryServer.start()
        let proxy = try TCPProxy(to: registry.port)
        var origins: [Origin] = []
        for name in repositories { origins.append(try await Origin(name, in: folder)) }
        let hasSmallDisk = getuid() == 0 && mount("tmpfs", folder + "/data", "tmpfs", 0, "size=\(megabytes)m") == 0
        let fakeTime = try await FakeTime.make(in: folder)
        let settings = Self.settings(options, folder, "127.0.0.1:\(proxy.port)", origins)
        try Data(settings.utf8).write(to: URL(filePath: folder + "/slipway.yaml"))
        let environment = try environment(options, folder, docker, fakeTime)
        let keeper = Keeper(
            config: folder + "/slipway.yaml", environment: environment, counts: counts, findings: findings)
        return World(
            folder: folder, options: options, registry: registry, proxy: proxy, origins: origins, keeper: keeper,
            desk: Desk(keeper: keeper, counts: counts, findings: findings), counts: counts, findings: findings,
            hasSmallDisk: hasSmallDisk, fakeTime: fakeTime)
    }

    private static func environment(
        _ options: Options, _ folder: String, _ docker: DockerDaemon?, _ fakeTime: FakeTime?
    ) throws -> [String: String] {
        var variables = docker?.environment ?? ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"]
        variables["TMPDIR"] = folder + "/tmp"
        switch options.engine {
        case .docker: break
        case .buildah:
            let storage =
                "[storage]\ndriver = \"overlay\"\ngraphroot = \"\(folder)/storage\"\nrunroot = \"\(folder)/run\"\n"
            try Data(storage.utf8).write(to: URL(filePath: folder + "/storage.conf"))
            variables["CONTAINERS_STORAGE_CONF"] = folder + "/storage.conf"
        case .standin:
            let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            try FileManager.default.createSymbolicLink(atPath: folder + "/bin/buildah", withDestinationPath: program)
            variables["PATH"] = folder + "/bin:" + (variables["PATH"] ?? "")
        }
        if let fakeTime { variables.merge(fakeTime.environment) { $1 } }
        return variables
    }

    private static func settings(
        _ options: Options, _ folder: String, _ registry: String, _ origins: [Origin]
    ) -> String {
        var text = """
            listen: 127.0.0.1:0
            data: "\(folder)/data"
            engine: \(options.engine == .docker ? "docker" : "buildah")
            workers: 4
            retries: 100
            poll: \(options.leavesOutPoll ? "off" : "10s")
            sweep: {every: 20s}
            disk: {min_free: 16MiB, cache: off}
            limits: {delay: 0s, per_address: off, per_token: off}
            registries:
              "\(registry)": {insecure: true}
            repositories:

            """
        for origin in origins {
            text += """
                  \(origin.name):
                    source: "\(origin.source)"
                    image: "\(registry)/\(origin.name)"
                    webhook_secret: "\(Desk.secret)"
                    trigger_tokens: ["\(Desk.token)-\(origin.name.replacing("/", with: "-"))"]
                \(RuleBook.text)

                """
        }
        return text
    }

    /// Ends what is left, and removes the folder unless it is evidence.
    func close(keeping: Bool) {
        proxy.stop()
        registry.stop()
        fakeTime?.close()
        if keeping {
            try? Data(registry.log.joined(separator: "\n").utf8).write(to: URL(filePath: folder + "/registry.log"))
            try? FileManager.default.copyItem(atPath: registry.storage.path, toPath: folder + "/registry")
            return
        }
        if hasSmallDisk { umount2(data, Int32(MNT_DETACH)) }
        Mounts.remove(folder)
    }

    /// - Throws: `Found` where not every source was looked at after a minute.
    func waitForTheFirstLook() async throws {
        let ledger = Ledger(path: data + "/slipway.sqlite")
        let end = ContinuousClock.now + .seconds(60)
        while try await ledger.sourcesSeen() < origins.count {
            guard ContinuousClock.now < end else { throw Found("not every source is looked at after a minute") }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
