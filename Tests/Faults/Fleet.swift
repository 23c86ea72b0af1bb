import Foundation
import TestSupport

/// Many machines, each a host of its own: servers, workers, a database and its standby, a registry, a Git server, and
/// whoever tells of pushes.
struct Fleet: Sendable {
    let world: World
    let hosts: Hosts
    let servers: [FleetMember]
    let workers: [FleetMember]
    let database: Replicated
    let registry: RegistryServer
    private let git: GitDaemon

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
        var members: [FleetMember] = []
        for host in hosts.all where host.name.hasPrefix("server") || host.name.hasPrefix("worker") {
            let settings = World.settings(
                FleetMember.settings(host, folder, database.url), options, registry.host, origins)
            members.append(
                try await FleetMember.make(
                    host, settings, options.engine, in: folder, counts: counts, findings: findings))
        }
        let servers = members.filter(\.isServer)
        let balancer = Balancer(
            sender: hosts["sender"], servers: servers.map { "http://\(FleetMember.place($0.host))" }, counts: counts)
        let send: Send = { await balancer.send($0, $1, $2, $3) }
        let world = World(
            folder: folder, options: options, origins: origins, send: send,
            desk: Desk(counts: counts, findings: findings, send: send), ledger: Ledger(database),
            images: RegistryFiles(registry.storage), counts: counts, findings: findings, patience: .seconds(240))
        return Fleet(
            world: world, hosts: hosts, servers: servers, workers: members.filter { !$0.isServer }, database: database,
            registry: registry, git: git)
    }

    var members: [FleetMember] { servers + workers }

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
        for member in members { member.clock?.close() }
        if keeping { await database.keep(in: world.folder) }
        await database.stop()
        if keeping { registry.keep(in: world.folder) } else { Mounts.remove(world.folder) }
    }
}
