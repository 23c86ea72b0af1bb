import Foundation
import TestSupport

/// A hundred trivial images, each of a branch of its own, all pushed at once: how many come through the queue.
struct ManyBuilds: Sendable {
    let ground: Ground
    let builder: Builder

    private static let count = 100
    private static let name = "bench/many"
    /// At once, on both sides.
    private static let jobs = 2

    func measure(runs: Int) async throws -> [Table.Row] {
        let folder = try ground.room("queue")
        let environment = try builder.environment(ground.daemon, in: folder)
        let project = try Project.trivial("trivial", in: folder)
        let slipway = try await SlipwayRun.start(
            ground, builder, [.init(project: project, name: Self.name, rules: ["{branch: /^b/, tags: ['{branch}']}"])],
            workers: Self.jobs, environment: environment)
        var (plainTimes, ourTimes): ([Double], [Double]) = ([], [])
        do {
            // The engine is looked for and the mirror cloned at the first.
            try await build(["b-first"], project, slipway)
            for run in 1...runs {
                Benchmarks.say("\(builder.rawValue) queue \(run)/\(runs)")
                plainTimes.append(try await plain(project, run, folder, environment))
                ourTimes.append(try await build((0..<Self.count).map { "b\(run)-\($0)" }, project, slipway))
            }
            await slipway.service.stop()
        } catch {
            await slipway.service.stop()
            throw error
        }
        func rates(_ times: [Double]) -> Sample { Sample(times.map { Double(Self.count) / $0 }) }
        func shares(_ times: [Double]) -> Sample { Sample(times.map { $0 / Double(Self.count) }) }
        let title = "\(builder.rawValue), \(Self.count) trivial images, \(Self.jobs) at once"
        return [
            Table.Row(name: "\(title): builds", plain: rates(plainTimes), slipway: rates(ourTimes), unit: .perSecond),
            Table.Row(
                name: "\(title): a build", plain: shares(plainTimes), slipway: shares(ourTimes), unit: .milliseconds),
        ]
    }

    private func plain(
        _ project: Project, _ run: Int, _ folder: String, _ environment: [String: String]
    ) async throws -> Double {
        let branches = (0..<Self.count).map { "p\(run)-\($0)" }
        _ = try project.change("hello", on: branches)
        let start = ContinuousClock.now
        try await inTurns(branches, jobs: Self.jobs) { branch in
            let script = PlainScript(
                builder: builder, project: project, image: "\(ground.registry.host)/plain-many-\(builder.rawValue)",
                folder: "\(folder)/\(branch)", environment: environment)
            _ = try await script.run(branch: branch)
        }
        return seconds(since: start)
    }

    /// Timed from before the first webhook until the last build is finished.
    @discardableResult
    private func build(_ branches: [String], _ project: Project, _ slipway: SlipwayRun) async throws -> Double {
        let commits = try project.change("hello", on: branches)
        let start = Date()
        var builds: [Int] = []
        for (branch, commit) in zip(branches, commits) {
            builds += try await slipway.builds(of: commit, on: branch, to: Self.name)
        }
        let (views, time) = try await slipway.ends(of: builds, since: start)
        for (view, branch) in zip(views, branches) {
            try await ground.expect("\(Self.name)-\(builder.rawValue)", tag: branch, at: view)
        }
        return time
    }
}
