import Foundation
import TestSupport

/// How many of the pushes that were accepted before a kill -9 are lost.
struct Loss {
    private struct Experiment {
        var name: String
        var pushes: Int
        var senders: Int
        /// When so many were accepted.
        var killed: Int
    }

    private static let experiments = [
        Experiment(name: "200 pushes by 8 senders, killed among them", pushes: 200, senders: 8, killed: 80),
        Experiment(
            name: "200 pushes that are queued, killed while they are built", pushes: 200, senders: 8, killed: 200),
        Experiment(name: "400 pushes by 32 senders, killed under load", pushes: 400, senders: 32, killed: 200),
    ]

    let machine: OneMachine
    private var world: World { machine.world }

    func run() async throws {
        try await machine.keeper.start()
        var branch = 0
        for experiment in Self.experiments {
            var changes: [Origin.Change] = []
            // Each to a branch of its own, so that none takes another's place.
            for _ in 0..<experiment.pushes {
                branch += 1
                changes.append(try await world.origins[0].push("refs/heads/release-\(branch)", onto: nil, isGood: true))
            }
            world.counts.add("pushes", changes.count)
            let before = await world.desk.accepted.count
            try await send(changes, experiment, before: before)
            let accepted = await world.desk.accepted.dropFirst(before)
            try await Settling(world: world, wantsHeads: false).run()
            let builds = try await world.ledger.builds()
            let ended = Set(builds.filter { $0.state == "finished" }.map(\.id))
            let lost = accepted.filter { !Set($0.builds).isSubset(of: ended) || $0.builds.isEmpty }
            Faults.say("\(experiment.name): \(accepted.count) accepted, lost \(lost.count)")
            if !lost.isEmpty { world.findings.add("lost: \(lost.map { "\($0.change.ref) \($0.builds)" })") }
        }
        _ = try await machine.keeper.stop()
    }

    /// Sends from all senders at once, and kills the service in the middle of it.
    private func send(_ changes: [Origin.Change], _ experiment: Experiment, before: Int) async throws {
        let desk = world.desk
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<experiment.senders {
                let mine = stride(from: sender, to: changes.count, by: experiment.senders).map { changes[$0] }
                group.addTask { for change in mine { await desk.tellOnce(change) } }
            }
            group.addTask {
                await desk.waits(for: before + experiment.killed)
                try await machine.keeper.kill()
            }
            try await group.waitForAll()
        }
    }
}
