import Foundation
import TestSupport

/// Many machines, each a host of its own: servers, workers, a database and its standby, a registry, a Git server, and
/// whoever tells of pushes.
struct Fleet: Sendable {
    /// A host with one program of the service, its settings, and its data.
    struct Member: Sendable {
        let host: NetworkHost
        let folder: String
        let keeper: Keeper
    }

    let world: World
    let hosts: Hosts
    let servers: [Member]
    let workers: [Member]
    let database: Replicated
    let registry: RegistryServer
    private let git: GitDaemon
    let clocks: [FakeTime]

    /// In seconds; one host's is ahead and another's is behind.
    private static let shift = 600
    private static let port = 8080

    /// Makes all of it, for as long as `body` lasts.
    ///
    /// - Parameter body: returns whether all is good.
    static func run(_ options: Options, _ body: @escaping @Sendable (Fleet) async throws -> Bool) async throws -> Bool {
        guard Hosts.isPossible, PostgreSQLServer.programs != nil else {
            throw Found("--hosts takes root, and the packages iproute2 and postgresql")
        }
        let names = ["server1", "server2", "worker1", "worker2", "worker3"]
        return try await Hosts.run(names + ["database", "standby", "registry", "git", "sender"]) { hosts in
            let fleet = try await make(options, hosts)
            let isGood = try await body(fleet)
            await fleet.close(keeping: !isGood)
            return isGood
        }
    }

    private static func make(_ options: Options, _ hosts: Hosts) async throws -> Fleet {
        let folder = try World.folder(options)
        let (counts, findings) = (Counts(), Findings())
        let database = try await Replicated.make(hosts["database"], hosts["standby"])
        let registry = try await RegistryServer.start(port: 5000, on: hosts["registry"])
        try FileManager.default.createDirectory(atPath: folder + "/git", withIntermediateDirectories: true)
        let git = try await GitDaemon.start(root: folder + "/git", port: 9418, on: hosts["git"])
        var origins: [Origin] = []
        for name in World.repositories {
            origins.append(try await Origin(name, in: folder, address: git.url(for: "")))
        }
        var (servers, workers, clocks): ([Member], [Member], [FakeTime]) = ([], [], [])
        for host in hosts.all where host.name.hasPrefix("server") || host.name.hasPrefix("worker") {
            let isServer = host.name.hasPrefix("server")
            let place = "\(folder)/\(host.name)"
            let text = """
                listen: \(host.address):\(port)
                data: "\(place)/data"
                database: "\(database.url)"
                workers: \(isServer ? 0 : 2)
                poll: off
                access: [{name: ops, token: "\(Desk.token)-ops", role: admin}]
                """
            let settings = World.settings(text, options, registry.host, origins)
            var environment = try prepare(place, of: options.engine, in: folder)
            // Once ahead and once behind.
            if host.name.hasSuffix("1"), let clock = try await FakeTime.make(in: place) {
                try clock.step(by: isServer ? shift : -shift)
                environment.merge(clock.environment) { $1 }
                clocks.append(clock)
            }
            let config = place + "/slipway.yaml"
            try Data(settings.utf8).write(to: URL(filePath: config))
            let launcher = host.launcher + [Service.program]
            let keeper = Keeper(counts: counts, findings: findings) { [environment] in
                if isServer {
                    return try await Service.start(
                        config: config, environment: environment, grace: "2s", launcher: launcher)
                }
                return try await Service.startWorker(
                    config: config, name: host.name, environment: environment, grace: "2s", launcher: launcher)
            }
            let member = Member(host: host, folder: place, keeper: keeper)
            if isServer { servers.append(member) } else { workers.append(member) }
        }
        let balancer = Balancer(
            sender: hosts["sender"], servers: servers.map { "http://\($0.host.address):\(port)" }, counts: counts)
        let send: Send = { await balancer.send($0, $1, $2, $3) }
        let world = World(
            folder: folder, options: options, origins: origins, send: send,
            desk: Desk(counts: counts, findings: findings, send: send), ledger: Ledger(database),
            images: RegistryFiles(registry.storage), counts: counts, findings: findings, patience: .seconds(240))
        return Fleet(
            world: world, hosts: hosts, servers: servers, workers: workers, database: database, registry: registry,
            git: git, clocks: clocks)
    }

    /// The stand-ins of all machines note what they do in one journal, and see each other run.
    private static func prepare(_ place: String, of engine: Options.Engine, in folder: String) throws -> [String:
        String]
    {
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder + "/running", withIntermediateDirectories: true)
        for name in ["running", "journal"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(place)/\(name)", withDestinationPath: "\(folder)/\(name)")
        }
        return try engine.prepare(in: place)
    }

    var members: [Member] { servers + workers }

    /// For whoever reads the logs of the hosts beside it.
    func note(_ event: String) {
        Faults.say("\(Date.now.formatted(.iso8601.time(includingFractionalSeconds: true))) \(event)")
    }

    /// What need not be there when it is looked for what is left.
    func stopServers() {
        git.stop()
        registry.stop()
    }

    private func close(keeping: Bool) async {
        stopServers()
        clocks.forEach { $0.close() }
        if keeping { await database.keep(in: world.folder) }
        await database.stop()
        if keeping { registry.keep(in: world.folder) } else { Mounts.remove(world.folder) }
    }
}
