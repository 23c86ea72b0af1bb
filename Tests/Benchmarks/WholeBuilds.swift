import Foundation
import TestSupport

/// From the webhook to `finished`, against the plain script on the same engine, in turns.
struct WholeBuilds: Sendable {
    enum Case: String, CaseIterable {
        case src, empty, cold

        var option: Options.Case {
            switch self {
            case .src: .src
            case .empty: .empty
            case .cold: .cold
            }
        }

        var title: String {
            switch self {
            case .src: "one file changed"
            case .empty: "empty commit"
            case .cold: "no cache"
            }
        }

        var repository: String { self == .cold ? "bench/cold" : "bench/warm" }
    }

    let ground: Ground
    let builder: Builder

    func measure(_ cases: [Case], runs: Int) async throws -> [Table.Row] {
        let folder = try ground.room(builder.rawValue)
        let environment = try builder.environment(ground.daemon, in: folder)
        let plains = try Project.application("plain", mark: "aa", base: ground.base, in: folder)
        let ours = try Project.application("slipway", mark: "bb", base: ground.base, in: folder)
        let plain = PlainScript(
            builder: builder, project: plains, image: "\(ground.registry.host)/plain-\(builder.rawValue)",
            folder: folder + "/clone", environment: environment)
        let slipway = try await SlipwayRun.start(
            ground, builder,
            [
                .init(project: ours, name: "bench/warm"),
                .init(project: ours, name: "bench/cold", rules: ["{branch: main, tags: [latest], cache: false}"]),
            ], environment: environment)
        do {
            var rows: [Table.Row] = []
            for one in cases { rows += try await measure(one, runs, plain, slipway, ours) }
            await slipway.service.stop()
            return rows
        } catch {
            await slipway.service.stop()
            throw error
        }
    }

    private func measure(
        _ one: Case, _ runs: Int, _ plain: PlainScript, _ slipway: SlipwayRun, _ ours: Project
    ) async throws -> [Table.Row] {
        var (plainLaps, ourLaps): ([Lap], [Lap]) = ([], [])
        var reused = 0
        // The first of each side fills caches, and counts for nothing.
        for run in 0...runs {
            Benchmarks.say("\(builder.rawValue) \(one.rawValue) \(run)/\(runs)")
            _ = try commit(one, plain.project)
            let plainLap = try await plain.run(cold: one == .cold)
            let commit = try commit(one, ours)
            let (ourLap, build) = try await slipway.build(commit, of: one.repository)
            try await ground.expect("\(one.repository)-\(builder.rawValue)", tag: "latest", at: build)
            if run > 0 {
                plainLaps.append(plainLap)
                ourLaps.append(ourLap)
                reused += build.isReused ? 1 : 0
            }
        }
        Benchmarks.say("\(builder.rawValue) \(one.rawValue): \(reused) of \(runs) took a former build's image")
        if ground.showsPhases {
            Benchmarks.say("  plain    " + phases(plainLaps))
            Benchmarks.say("  slipway  " + phases(ourLaps))
        }
        return [
            Table.Row(
                name: "\(builder.rawValue), \(one.title)", plain: Sample(plainLaps.map(\.total)),
                slipway: Sample(ourLaps.map(\.total)), unit: .seconds, target: target(one))
        ]
    }

    private func target(_ one: Case) -> Table.Target? {
        switch one {
        case .src: builder == .classic ? nil : .ratio(1.05)
        case .empty: builder == .buildkit ? .both(ratio: 0.4, atMost: 0.060) : .atMost(0.060)
        case .cold: nil
        }
    }

    private func commit(_ one: Case, _ project: Project) throws -> String {
        one == .empty ? try project.commit() : try project.change("src/f3.c")
    }

    private func phases(_ laps: [Lap]) -> String {
        guard let first = laps.first else { return "" }
        return first.parts.indices.map { index in
            "\(first.parts[index].name) \(Sample(laps.map { $0.parts[index].seconds }).text(.seconds))"
        }
        .joined(separator: "  ")
    }
}
