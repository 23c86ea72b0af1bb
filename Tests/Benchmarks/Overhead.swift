import Foundation
import TestSupport

/// What Slipway itself adds to a build: the time from the webhook to `finished` in which no process of the engine runs.
struct Overhead: Sendable {
    let ground: Ground
    let builder: Builder

    private static let name = "bench/overhead"
    private static let stages = [
        "accept", "claim", "fetch and inputs", "checkout", "engine build", "between", "engine push", "tags", "end",
        "told",
    ]

    func measure(pushes: Int) async throws -> [Table.Row] {
        let folder = try ground.room("overhead")
        let clock = try await EngineClock(
            builder, in: folder, environment: builder.environment(ground.daemon, in: folder))
        let project = try Project.trivial("trivial", in: folder)
        let slipway = try await SlipwayRun.start(
            ground, builder, [.init(project: project, name: Self.name)], environment: clock.environment)
        var overheads: [Double] = []
        var allParts: [String: [Double]] = [:]
        do {
            // The first also looks for the engine and clones the mirror.
            for push in 0...pushes {
                if push % 10 == 0 { Benchmarks.say("\(builder.rawValue) overhead \(push)/\(pushes)") }
                let commit = try project.change("hello")
                let before = Date().timeIntervalSince1970
                let build = try await slipway.end(of: slipway.post(commit, to: Self.name))
                let after = Date().timeIntervalSince1970
                guard push > 0 else { continue }
                let calls = try clock.calls(from: before, to: after)
                let parts = try self.parts(build, calls, before, after)
                overheads.append(after - before - Self.busy(calls) - (parts["told"] ?? 0))
                allParts.merge(parts.mapValues { [$0] }) { $0 + $1 }
            }
            await slipway.service.stop()
        } catch {
            await slipway.service.stop()
            throw error
        }
        let whole = Table.Row(
            name: "\(builder.rawValue), webhook to finished without the engine", slipway: Sample(overheads),
            unit: .milliseconds, target: .atMost(0.030))
        return [whole]
            + Self.stages.compactMap { stage in
                allParts[stage].map { values in
                    Table.Row(name: "\(builder.rawValue), … \(stage)", slipway: Sample(values), unit: .milliseconds)
                }
            }
    }

    /// The seconds of each stage; where the Dockerfile's own time is not known, the checkout counts to the fetch.
    private func parts(
        _ build: Service.BuildView, _ calls: [EngineClock.Call], _ before: Double, _ after: Double
    ) throws -> [String: Double] {
        let times = ["created_at", "started_at", "finished_at"].compactMap { build.date($0)?.timeIntervalSince1970 }
        guard times.count == 3, let first = calls.first, let last = calls.map(\.end).max() else {
            throw SlipwayRun.Failed(description: "build \(build.id) called no engine, or shows no times")
        }
        let (created, started, finished) = (times[0], times[1], times[2])
        let pushes = Self.busy(calls.filter(\.isPush))
        // Tags are moved, and read back, after the engine's last word.
        let tagged = ground.registry.answers(to: "slipway/", from: last, to: finished).max() ?? last
        let checkout = calls.compactMap(\.checkedOut).first { $0 >= started } ?? first.start
        return [
            "accept": created - before, "claim": started - created, "fetch and inputs": checkout - started,
            "checkout": first.start - checkout, "engine build": Self.busy(calls) - pushes, "engine push": pushes,
            "between": last - first.start - Self.busy(calls), "tags": tagged - last, "end": finished - tagged,
            "told": after - finished,
        ]
    }

    /// The seconds in which at least one runs.
    private static func busy(_ calls: [EngineClock.Call]) -> Double {
        var (total, end) = (0.0, 0.0)
        for call in calls {
            total += max(0, call.end - max(call.start, end))
            end = max(end, call.end)
        }
        return total
    }
}

extension RegistryServer {
    /// When it had answered a client's requests, in seconds since 1970, as its log says.
    fileprivate func answers(to client: String, from: Double, to: Double) -> [Double] {
        log.suffix(200).compactMap { line in
            guard line.contains("response completed"),
                line.contains("http.request.useragent=\"\(client)")
                    || line.contains("http.request.useragent=\(client)"),
                let match = line.firstMatch(of: /time="([^".]+)(\.[0-9]+)?Z"/),
                let second = try? Date("\(match.1)Z", strategy: .iso8601)
            else { return nil }
            let time = second.timeIntervalSince1970 + (match.2.flatMap { Double("0\($0)") } ?? 0)
            return (from...to).contains(time) ? time : nil
        }
    }
}
