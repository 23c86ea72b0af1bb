import Foundation
import TestSupport

/// How soon an idle worker takes up a push, each after the build before has ended.
struct StartOfBuilds: Sendable {
    let ground: Ground
    let builder: Builder

    func measure(pushes: Int) async throws -> [Table.Row] {
        let folder = try ground.room("start")
        let environment = try builder.environment(ground.daemon, in: folder)
        let project = try Project.trivial("trivial", in: folder)
        let slipway = try await SlipwayRun.start(
            ground, builder, [.init(project: project, name: "bench/start")], environment: environment)
        var (answered, seen, stored): ([Double], [Double], [Double]) = ([], [], [])
        do {
            for push in 0...pushes {
                if push % 10 == 0 { Benchmarks.say("\(builder.rawValue) start \(push)/\(pushes)") }
                let commit = try project.change("hello")
                let before = ContinuousClock.now
                let id = try await slipway.post(commit, to: "bench/start")
                let accepted = ContinuousClock.now
                _ = try await slipway.service.request("GET", "/api/v1/builds/\(id)?wait=30s&seen=pending")
                let building = seconds(since: accepted)
                let build = try await slipway.end(of: id)
                // The first also looks for the engine and clones the mirror.
                guard push > 0 else { continue }
                answered.append((accepted - before) / .seconds(1))
                seen.append(building)
                stored.append(build.seconds("created_at", "started_at"))
            }
            await slipway.service.stop()
        } catch {
            await slipway.service.stop()
            throw error
        }
        return [
            Table.Row(name: "webhook posted to 202", slipway: Sample(answered), unit: .milliseconds),
            Table.Row(
                name: "202 to building, as a client sees it", slipway: Sample(seen), unit: .milliseconds,
                target: .atMost(0.020)),
            Table.Row(
                name: "created_at to started_at", slipway: Sample(stored), unit: .milliseconds, target: .atMost(0.020)),
        ]
    }
}
