import Foundation
import TestSupport

/// The resident memory of `slipway serve` while four builds run, each after 2,000 lines of output.
struct BusyMemory: Sendable {
    let ground: Ground
    let builder: Builder

    private static let count = 4
    private static let mark = "all has been said"

    func measure(runs: Int) async throws -> [Table.Row] {
        var samples: [Double] = []
        for run in 1...runs {
            Benchmarks.say("\(builder.rawValue) memory, four builds \(run)/\(runs)")
            samples.append(try await once())
        }
        return [
            Table.Row(name: "memory with \(Self.count) builds running", slipway: Sample(samples), unit: .megabytes)
        ]
    }

    private func once() async throws -> Double {
        let folder = try ground.room("busy")
        let environment = try builder.environment(ground.daemon, in: folder)
        let project = Project(name: "busy", git: try GitProject(in: folder, name: "busy"))
        // It lasts until it is cancelled.
        try project.git.write(
            "Dockerfile",
            """
            FROM \(ground.base)
            ARG NUMBER
            COPY hello /hello
            RUN i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "line $i of $NUMBER"; done; \
            echo "\(Self.mark)" | tr a-z A-Z; sleep 600

            """)
        let repositories = (1...Self.count).map { number in
            // Another argument each, so that the engine takes no two builds for one.
            SlipwayRun.Repository(
                project: project, name: "bench/busy-\(number)",
                rules: ["{branch: main, cache: false, build_args: {NUMBER: 'number-\(number)'}}"])
        }
        let slipway = try await SlipwayRun.start(
            ground, builder, repositories, workers: Self.count, environment: environment)
        do {
            let commit = try project.change("hello")
            var builds: [Int] = []
            for repository in repositories { builds.append(try await slipway.post(commit, to: repository.name)) }
            for build in builds { try await slipway.service.wait(for: build, log: Self.mark.uppercased()) }
            let memory = try slipway.service.memory(.now)
            for build in builds {
                let view = try await slipway.service.build(build)
                guard view.state == "building" else {
                    throw SlipwayRun.Failed(description: "\(view) while the memory was measured")
                }
                _ = try await slipway.service.request("POST", "/api/v1/builds/\(build)/cancel")
            }
            for build in builds { _ = try await slipway.service.wait(for: build) }
            await slipway.service.stop()
            return memory
        } catch {
            await slipway.service.stop()
            throw error
        }
    }
}
