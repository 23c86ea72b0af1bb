import Foundation
import TestSupport

/// The resident memory of `slipway serve` with two repositories and nothing to do.
struct IdleMemory: Sendable {
    let ground: Ground
    let builder: Builder

    private static let builds = 20

    func measure(runs: Int) async throws -> [Table.Row] {
        var (fresh, used): ([Double], [Double]) = ([], [])
        for run in 1...runs {
            Benchmarks.say("\(builder.rawValue) memory \(run)/\(runs)")
            let (start, end) = try await once()
            fresh.append(start)
            used.append(end)
        }
        return [
            Table.Row(
                name: "idle memory after start", slipway: Sample(fresh), unit: .megabytes, target: .atMost(40e6)),
            Table.Row(
                name: "idle memory after \(Self.builds) builds", slipway: Sample(used), unit: .megabytes,
                target: .atMost(40e6)),
        ]
    }

    private func once() async throws -> (Double, Double) {
        let folder = try ground.room("memory")
        let environment = try builder.environment(ground.daemon, in: folder)
        let project = try Project.trivial("trivial", in: folder)
        let names = ["bench/one", "bench/two"]
        let slipway = try await SlipwayRun.start(
            ground, builder, names.map { .init(project: project, name: $0) }, environment: environment)
        do {
            let start = try slipway.service.memory(.now)
            for build in 0..<Self.builds {
                let commit = try project.change("hello")
                _ = try await slipway.end(of: slipway.post(commit, to: names[build % 2]))
            }
            let end = try slipway.service.memory(.now)
            await slipway.service.stop()
            return (start, end)
        } catch {
            await slipway.service.stop()
            throw error
        }
    }
}
