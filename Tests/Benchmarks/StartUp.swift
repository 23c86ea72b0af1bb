import Foundation
import TestSupport

/// From the start of the program to a `/readyz` that says so, on a database that is there.
struct StartUp: Sendable {
    let ground: Ground
    let builder: Builder

    func measure(starts: Int) async throws -> [Table.Row] {
        let folder = try ground.room("startup")
        let environment = try builder.environment(ground.daemon, in: folder)
        let project = try Project.trivial("trivial", in: folder)
        // Makes the database, and the client's own first connection.
        let first = try await SlipwayRun.start(
            ground, builder, [.init(project: project, name: "bench/startup")], environment: environment)
        await first.service.stop()
        var samples: [Double] = []
        for start in 1...starts {
            Benchmarks.say("startup \(start)/\(starts)")
            let before = ContinuousClock.now
            let service = try await Service.start(config: first.config, environment: environment)
            do {
                let reply = try await service.request("GET", "/readyz")
                samples.append(seconds(since: before))
                await service.stop()
                guard reply.status == 200 else {
                    throw SlipwayRun.Failed(description: "the first /readyz got \(reply.status): \(reply.text)")
                }
            } catch {
                await service.stop()
                throw error
            }
        }
        return [Table.Row(name: "start of the program to ready", slipway: Sample(samples), unit: .milliseconds)]
    }
}
