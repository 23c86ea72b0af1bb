import Foundation
import TestSupport

/// The faults of many machines, in the order of the seed: links that hang, workers that are killed or stand still past
/// their leases, and a database that starts anew, and then is replaced by its standby. Each is put right again but that.
struct Outages {
    private struct Outage: Sendable {
        var name: String
        var run: @Sendable () async throws -> Void
    }

    private let fleet: Fleet
    private static let over = "faults that were all put right"
    var areOver: Bool { fleet.world.counts[Self.over] > 0 }
    private static let brief: Duration = .seconds(6)
    /// Longer than a lease, and until it is found.
    private static let long: Duration = .seconds(27)

    init(_ fleet: Fleet) {
        self.fleet = fleet
    }

    /// What lasts long befalls the second worker, and what is short the others meanwhile.
    func run() async throws {
        var random = Random(seed: fleet.world.options.seed ^ 0x0f1e)
        let lanes = [shuffled(brief, &random), shuffled(long, &random)]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in lanes {
                group.addTask {
                    for (outage, pause) in lane {
                        fleet.world.counts.add(outage.name)
                        fleet.note(outage.name)
                        try await outage.run()
                        try await Task.sleep(for: .milliseconds(pause))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await failOver()
    }

    private func shuffled(_ outages: [Outage], _ random: inout Random) -> [(Outage, pause: Int)] {
        var (left, order): ([Outage], [(Outage, Int)]) = (outages, [])
        while !left.isEmpty {
            order.append((left.remove(at: random.below(left.count)), 200 + random.below(1500)))
        }
        return order
    }

    private var brief: [Outage] {
        let (hosts, database) = (fleet.hosts, fleet.database)
        let (standby, first, third) = (hosts["standby"], fleet.workers[0], fleet.workers[2])
        return [
            cut("server1", "database"), cut("server2", "database"), cut("worker1", "database"),
            cut("worker3", "registry"), cut("worker1", "git"), cut("database", "standby"), cut("sender", "server1"),
            Outage(name: "link database to worker3 cut one way") {
                try await hosts.cut(hosts["database"], third.host, bothWays: false)
                try await Task.sleep(for: Self.brief)
                try await hosts.heal(hosts["database"], third.host, bothWays: false)
            },
            kill(first), kill(third),
            Outage(name: "kill -9 of a server") { try await fleet.servers[1].keeper.kill() },
            Outage(name: "SIGTERM of a worker") { try await third.keeper.restart() },
            Outage(name: "PostgreSQL restarted") {
                await database.primary.stop()
                try await database.primary.start()
            },
            Outage(name: "PostgreSQL killed") {
                await database.primary.stop(atOnce: true)
                try await database.primary.start()
            },
            Outage(name: "standby away") {
                try await standby.signal(SIGSTOP)
                try await Task.sleep(for: Self.brief)
                try await standby.signal(SIGCONT)
            },
        ]
    }

    private var long: [Outage] {
        let worker = fleet.workers[1]
        return [
            cut("worker2", "database", for: Self.long),
            Outage(name: "SIGSTOP of a worker past its lease") {
                try await waitForWork(of: worker)
                try await worker.keeper.freeze(Self.long)
            },
            Outage(name: "SIGSTOP of a worker's host past its lease") {
                try await waitForWork(of: worker)
                try await worker.host.signal(SIGSTOP)
                try await Task.sleep(for: Self.long)
                try await worker.host.signal(SIGCONT)
            },
        ]
    }

    private func kill(_ worker: FleetMember) -> Outage {
        Outage(name: "kill -9 of a worker") {
            try await waitForWork(of: worker)
            try await worker.keeper.kill()
        }
    }

    /// Comes back while it has a build, where it gets one soon.
    private func waitForWork(of worker: FleetMember) async throws {
        struct Running: Decodable { var id: Int }
        let end = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < end {
            let running: [Running]? = try? await fleet.world.ledger.rows(
                "SELECT id FROM builds WHERE worker LIKE '\(worker.host.name)%'")
            if running?.isEmpty == false { return fleet.world.counts.add("workers caught at work") }
        }
    }

    private func cut(_ one: String, _ other: String, for time: Duration = Outages.brief) -> Outage {
        let hosts = fleet.hosts
        return Outage(name: "link \(one)-\(other) cut\(time > Self.brief ? " past a lease" : "")") {
            try await hosts.cut(hosts[one], hosts[other])
            try await Task.sleep(for: time)
            try await hosts.heal(hosts[one], hosts[other])
        }
    }

    /// The standby misses the last changes, of which nobody was told that they were kept; then nobody hears any more of
    /// the primary, and the standby takes its place.
    private func failOver() async throws {
        let (hosts, database) = (fleet.hosts, fleet.database)
        fleet.world.counts.add("standby promoted")
        fleet.note("standby promoted")
        try await hosts.cut(hosts["database"], hosts["standby"])
        try await Task.sleep(for: .seconds(3))
        try await hosts.isolate(hosts["database"])
        await database.primary.stop(atOnce: true)
        try await database.failOver()
        // Until all have noticed, and more is pushed.
        try await Task.sleep(for: .seconds(20))
        fleet.note("the faults are over")
        fleet.world.counts.add(Self.over)
    }
}
