import Foundation
import TestSupport

/// The lane of faults, by the seed: one after the other, each put right again before the next.
struct Troubles {
    private let machine: OneMachine
    private var world: World { machine.world }
    private var random: Random
    private var frozen = ContinuousClock.now

    /// Longer than a lease.
    static let freeze: Duration = .seconds(25)
    /// In seconds.
    private static let longestStep = 2 * 3600
    /// So rare is what lasts long.
    private static let betweenFreezes: Duration = .seconds(40)

    init(_ machine: OneMachine) {
        self.machine = machine
        random = Random(seed: machine.world.options.seed ^ 0xfa17)
    }

    private var kills: Int {
        world.counts["kill -9 of the service"] + world.counts["kill -9 of engine processes"]
            + world.counts["kill -9 of the registry"]
    }

    /// Goes on until so many processes were killed, or the time is over.
    mutating func run(_ count: Int, until end: ContinuousClock.Instant?) async throws {
        frozen = .now
        while end.map({ ContinuousClock.now < $0 }) ?? (kills < count) {
            try await step()
            try await Task.sleep(for: .milliseconds(200 + random.below(1500)))
        }
    }

    private mutating func step() async throws {
        // Drawn each time, so that the others are the same whatever the time is.
        let mayFreeze = random.oneIn(8)
        if mayFreeze, frozen + Self.betweenFreezes < .now { return try await freeze() }
        switch random.below(98) {
        case ..<36:
            world.counts.add("kill -9 of the service")
            try await machine.keeper.kill()
        case ..<60: killEngine()
        case ..<64: try await killRegistry()
        case ..<68:
            world.counts.add("SIGTERM of the service")
            try await machine.keeper.restart()
        case ..<85: try await proxyTrouble()
        case ..<90: try await sourcesAway()
        case ..<94: try await diskFull()
        default: try await stepClock()
        }
    }

    private mutating func killEngine() {
        let engines = Processes.mentioning(machine.data + "/work/").filter {
            $0.line.contains("buildah") || $0.line.contains("docker")
        }
        guard !engines.isEmpty else { return }
        if kill(random.pick(engines).process, SIGKILL) == 0 { world.counts.add("kill -9 of engine processes") }
    }

    private mutating func killRegistry() async throws {
        guard let process = machine.registry.processID else { return }
        world.counts.add("kill -9 of the registry")
        kill(process, SIGKILL)
        machine.registry.stop()
        try await Task.sleep(for: .milliseconds(random.below(1500)))
        try await machine.registry.restart()
    }

    private mutating func proxyTrouble() async throws {
        func answer(_ status: String, _ more: String = "") -> TCPProxy.Mode {
            .answering("HTTP/1.1 \(status)\r\n\(more)Content-Length: 0\r\nConnection: close\r\n\r\n")
        }
        let (name, mode): (String, TCPProxy.Mode) = random.pick([
            ("500", answer("500 Internal Server Error")), ("503", answer("503 Service Unavailable")),
            ("429", answer("429 Too Many Requests", "Retry-After: \(1 + random.below(3))\r\n")),
            ("half a reply", .cutting(after: 1 + random.below(300))), ("nothing", .held), ("an end", .broken),
        ])
        world.counts.add("registry answers \(name)")
        machine.proxy.mode = mode
        try await Task.sleep(for: .milliseconds(200 + random.below(4000)))
        machine.proxy.mode = .open
    }

    private mutating func sourcesAway() async throws {
        let origin = random.pick(world.origins)
        world.counts.add("source away")
        try origin.isAway(true)
        try await Task.sleep(for: .milliseconds(200 + random.below(4000)))
        try origin.isAway(false)
    }

    private mutating func diskFull() async throws {
        guard machine.hasSmallDisk else { return }
        world.counts.add("disk full")
        let file = open(machine.data + "/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        let block = [UInt8](repeating: 0, count: 1 << 20)
        for size in [1 << 20, 1 << 12] { while write(file, block, size) > 0 {} }
        close(file)
        try await Task.sleep(for: .milliseconds(200 + random.below(4000)))
        unlink(machine.data + "/filler")
    }

    /// Forth and back: leases and pauses are noted by this clock.
    private mutating func stepClock() async throws {
        guard let time = machine.fakeTime else { return }
        world.counts.add("clock stepped")
        try time.step(by: random.pick([90, -90, Self.longestStep, -Self.longestStep, 0]))
    }

    private mutating func freeze() async throws {
        world.counts.add("SIGSTOP of the service")
        try await machine.keeper.freeze(Self.freeze)
        frozen = .now
    }

    /// As it was before the first fault; but that the pauses before other attempts are over by the service's clock.
    func end() async throws {
        machine.proxy.mode = .open
        for origin in world.origins { try origin.isAway(false) }
        unlink(machine.data + "/filler")
        try machine.fakeTime?.step(by: 2 * Self.longestStep)
    }
}
