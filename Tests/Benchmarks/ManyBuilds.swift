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
            let first = try project.change("hello", branch: "b-first")
            for build in try await slipway.builds(of: first, on: "b-first", to: Self.name) {
                _ = try await slipway.end(of: build)
            }
            for run in 1...runs {
                Benchmarks.say("\(builder.rawValue) queue \(run)/\(runs)")
                plainTimes.append(try await plain(project, run, folder, environment))
                ourTimes.append(try await ours(project, run, slipway))
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
        for branch in branches { _ = try project.change("hello", branch: branch) }
        let start = ContinuousClock.now
        try await inTurns(branches, jobs: Self.jobs) { branch in
            let script = PlainScript(
                builder: builder, project: project, image: "\(ground.registry.host)/plain-many-\(builder.rawValue)",
                folder: "\(folder)/\(branch)", environment: environment)
            _ = try await script.run(branch: branch)
        }
        return seconds(since: start)
    }

    private func ours(_ project: Project, _ run: Int, _ slipway: SlipwayRun) async throws -> Double {
        var pushes: [(branch: String, commit: String)] = []
        for number in 0..<Self.count {
            let branch = "b\(run)-\(number)"
            pushes.append((branch, try project.change("hello", branch: branch)))
        }
        let start = ContinuousClock.now
        var builds: [Int] = []
        for push in pushes { builds += try await slipway.builds(of: push.commit, on: push.branch, to: Self.name) }
        var views: [Service.BuildView] = []
        for build in builds { views.append(try await slipway.end(of: build)) }
        let time = seconds(since: start)
        for (view, push) in zip(views, pushes) {
            try await ground.expect("\(Self.name)-\(builder.rawValue)", tag: push.branch, at: view)
        }
        return time
    }
}
