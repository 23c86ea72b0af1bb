import Foundation
import TestSupport

/// Pushes to a real service while everything around it fails, and then holds what became of it against what was pushed.
@main enum Faults {
    static func main() async {
        if let engine = StandIn(CommandLine.arguments) { exit(await engine.run()) }
        do {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            let isGood: Bool
            if options.engine == .docker {
                isGood = try await withDocker { try await run(options, docker: $0) }
            } else {
                isGood = try await run(options, docker: nil)
            }
            exit(isGood ? 0 : 1)
        } catch {
            FileHandle.standardError.write(Data("faults: \(error)\n".utf8))
            exit(2)
        }
    }

    /// At once, also into a pipe.
    static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    private static func withDocker(_ body: @escaping @Sendable (DockerDaemon) async throws -> Bool) async throws -> Bool
    {
        let answer = Counts()
        try await DockerDaemon.run { if try await body($0) { answer.add("good") } }
        return answer["good"] > 0
    }

    private static func run(_ options: Options, docker: DockerDaemon?) async throws -> Bool {
        if options.isOnHosts { return try await Fleet.run(options) { try await $0.judged() } }
        let machine = try await OneMachine.make(options, docker: docker)
        if !machine.hasSmallDisk { say("left out, as it takes root: disk full") }
        let isGood = await judge(machine.world) {
            if options.onlyLoss { try await Loss(machine: machine).run() } else { try await trouble(machine) }
        }
        machine.close(keeping: !isGood)
        return isGood
    }

    /// Says what was done and found.
    ///
    /// - Returns: whether all is good.
    static func judge(_ world: World, _ body: () async throws -> Void) async -> Bool {
        let options = world.options
        say("seed \(options.seed), in \(world.folder)")
        let start = ContinuousClock.now
        do {
            try await body()
        } catch {
            world.findings.add("the run broke off: \(error)")
        }
        let seconds = start.duration(to: .now).components.seconds
        say(world.counts.table)
        let found = world.findings.all
        for sentence in found.prefix(200) { say("bad (seed \(options.seed)): \(sentence)") }
        let facts =
            "seed \(options.seed), \(world.counts["pushes"]) pushes, \(world.counts["starts again"]) restarts, \(seconds) s"
        say(
            found.isEmpty
                ? "good: \(facts)" : "bad: \(found.count) checks failed; \(facts); all of it is in \(world.folder)")
        return found.isEmpty
    }

    private static func trouble(_ machine: OneMachine) async throws {
        let (world, options) = (machine.world, machine.world.options)
        if machine.fakeTime == nil { say("left out, as the package faketime is missing: clock stepped") }
        try await machine.keeper.start()
        // What is there at the first look is only noted.
        if !options.leavesOutPoll { try await machine.waitForTheFirstLook() }
        let end = options.minutes.map { ContinuousClock.now + .seconds(60 * $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var pushes = Pushes(world)
                try await pushes.run(options.pushes, until: end)
            }
            group.addTask {
                var troubles = Troubles(machine)
                try await troubles.run(options.kills ?? options.pushes / 10, until: end)
                try await troubles.end()
            }
            try await group.waitForAll()
        }
        say("the faults are over; everything settles")
        try await Settling(world: world).run()
        let service = await machine.keeper.running()
        world.counts.add("MB in memory at the end", Processes.memory(service.pid, "VmRSS"))
        let status = try await machine.keeper.stop()
        if status != 0 { world.findings.add("the service ended with \(status) when it was asked to stop") }
        try await check(machine)
    }

    private static func check(_ machine: OneMachine) async throws {
        let world = machine.world
        try await Verdict(world, try await world.ledger.builds()).check()
        try Leftovers(world: world).check(world.folder)
        let integrity = try await Command.run("sqlite3", [machine.data + "/slipway.sqlite", "PRAGMA integrity_check"])
        if integrity != "ok" { world.findings.add("the database is damaged: \(integrity)") }
    }
}
