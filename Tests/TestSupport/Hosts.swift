import Foundation

/// A network of a test's own: hosts as network namespaces, joined by a bridge that lies in one more. The machine's own
/// network is not touched, and none of it can be reached from there.
package final class Hosts: Sendable {
    /// `slipway-<process>-<name>`: the process tells whether anybody still needs it.
    private static let prefix = "slipway-"
    /// The first three parts of every address; no other namespace sees them.
    private static let network = "10.213.7"
    /// A card that nobody has. Whatever is sent to it is lost, and nobody tells the sender.
    private static let nobody = "02:00:00:00:00:01"

    package let all: [NetworkHost]
    private let bridge: String

    /// All of the addresses, as pg_hba.conf takes them.
    package static let subnet = "\(network).0/24"

    /// Whether this machine lets us make namespaces with networks: it takes root, and the package iproute2.
    package static let isPossible: Bool = {
        let name = "\(prefix)\(getpid())-probe"
        let script = """
            ip netns add \(name) || exit 1
            ip -n \(name) link add probe type bridge && ip -n \(name) link add probe0 type veth peer name probe1
            status=$?
            ip netns del \(name)
            exit $status
            """
        guard getuid() == 0, Command.path(of: "ip") != nil, Command.path(of: "nsenter") != nil else { return false }
        return (try? Shell.run("/bin/sh", ["-c", script])) != nil
    }()

    /// Makes hosts for as long as `body` lasts; what still runs there then is killed.
    ///
    /// - Parameter names: of letters and digits.
    package static func run<Value: Sendable>(
        _ names: [String], body: @Sendable (Hosts) async throws -> Value
    ) async throws -> Value {
        try await removeLeftovers()
        let hosts = Hosts(names)
        let result: Result<Value, any Error>
        do {
            try await hosts.make()
            result = .success(try await body(hosts))
        } catch {
            result = .failure(error)
        }
        for namespace in hosts.all.map(\.namespace) + [hosts.bridge] { await remove(namespace) }
        return try result.get()
    }

    private init(_ names: [String]) {
        let prefix = "\(Self.prefix)\(getpid())-"
        bridge = prefix + "bridge"
        all = names.enumerated().map { index, name in
            NetworkHost(name: name, address: "\(Self.network).\(index + 1)", namespace: prefix + name)
        }
    }

    private func make() async throws {
        var script = """
            set -e
            ip netns add \(bridge)
            ip -n \(bridge) link add bridge type bridge forward_delay 0
            ip -n \(bridge) link set bridge up

            """
        for (index, host) in all.enumerated() {
            script += """
                ip netns add \(host.namespace)
                ip -n \(bridge) link add port\(index) type veth peer name eth0 netns \(host.namespace)
                ip -n \(bridge) link set port\(index) master bridge up
                ip -n \(host.namespace) addr add \(host.address)/24 dev eth0
                ip -n \(host.namespace) link set lo up
                ip -n \(host.namespace) link set eth0 up

                """
        }
        try await Command.run("/bin/sh", ["-c", script])
    }

    package subscript(name: String) -> NetworkHost {
        guard let host = all.first(where: { $0.name == name }) else { fatalError("there is no host \(name)") }
        return host
    }

    /// Loses what one host sends to another, and by default the other way too: connections hang, and none is refused.
    package func cut(_ host: NetworkHost, _ others: NetworkHost..., bothWays: Bool = true) async throws {
        for (from, to) in Self.ways(host, others, bothWays) {
            try await Self.neighbour("replace", from, to, ["lladdr", Self.nobody, "nud", "permanent"])
        }
    }

    /// Undoes `cut`.
    package func heal(_ host: NetworkHost, _ others: NetworkHost..., bothWays: Bool = true) async throws {
        for (from, to) in Self.ways(host, others, bothWays) { try await Self.neighbour("del", from, to) }
    }

    /// Cuts a host off from all others.
    package func isolate(_ host: NetworkHost) async throws {
        for other in all where other != host { try await cut(host, other) }
    }

    private static func ways(_ host: NetworkHost, _ others: [NetworkHost], _ bothWays: Bool) -> [(
        NetworkHost, NetworkHost
    )] {
        others.flatMap { bothWays ? [(host, $0), ($0, host)] : [(host, $0)] }
    }

    private static func neighbour(_ verb: String, _ from: NetworkHost, _ to: NetworkHost, _ more: [String] = [])
        async throws
    {
        try await Command.run(
            "ip", ["-n", from.namespace, "neigh", verb, to.address, "dev", "eth0"] + more)
    }

    /// Removes what processes that are gone have left.
    private static func removeLeftovers() async throws {
        for line in try await Command.run("ip", ["netns", "list"]).split(separator: "\n") {
            guard let match = line.firstMatch(of: /^slipway-([0-9]+)-\S+/), let owner = Int32(match.1),
                kill(owner, 0) != 0, errno == ESRCH
            else { continue }
            await remove(String(match.0))
        }
    }

    /// What is not there needs no removing.
    private static func remove(_ namespace: String) async {
        let host = NetworkHost(name: "", address: "", namespace: namespace)
        try? await host.signal(SIGKILL)
        _ = try? await Command.run("ip", ["netns", "del", namespace])
    }
}
