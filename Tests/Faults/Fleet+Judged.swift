import Foundation
import TestSupport

extension Fleet {
    /// - Returns: whether all is good.
    func judged() async throws -> Bool {
        await Faults.judge(world) {
            if members.allSatisfy({ $0.clock == nil }) {
                Faults.say("left out, as the package faketime is missing: shifted clocks")
            }
            for member in members { try await member.keeper.start() }
            try await Witness.install(in: database)
            let outages = Outages(self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var pushes = Pushes(world)
                    try await pushes.run(world.options.pushes, until: nil) { !outages.areOver }
                    note("everything is pushed")
                }
                group.addTask {
                    try await outages.run()
                }
                try await group.waitForAll()
            }
            try await Settling(world: world).run()
            note("everything has ended")
            let builds = try await world.ledger.builds()
            try await Verdict(world, builds).check()
            try await Witness(world: world).check()
            try await Records(fleet: self).check(builds)
            try await stopAll()
        }
    }

    private func stopAll() async throws {
        for member in members {
            let status = try await member.keeper.stop()
            if status != 0 { world.findings.add("\(member.host.name) ended with \(status) when it was asked to stop") }
        }
        stopServers()
        for member in members {
            try Leftovers(world: world).check(member.folder)
            for process in try await member.host.processes() {
                world.findings.add("\(member.host.name) still runs \(process): \(Processes.commandLine(process))")
            }
        }
    }
}
