import Foundation
import TestSupport

/// Twenty Dockerfiles in one repository, one of them with a changed file: all twenty images get the commit's tag.
struct Monorepo: Sendable {
    let ground: Ground
    let builder: Builder

    private static let folders = (0..<20).map { String(format: "svc%02d", $0) }
    private static let name = "bench/mono"
    /// Which of them changes.
    private static let changed = 7
    private static let file = folders[changed] + "/src/f3.c"
    /// What is fastest for a script; two of buildah at once wait for each other's storage.
    private var jobs: Int { builder == .buildkit ? 4 : 1 }

    func measure(runs: Int) async throws -> [Table.Row] {
        let folder = try ground.room("mono")
        let environment = try builder.environment(ground.daemon, in: folder)
        let (plains, ours) = (try project("aa", folder), try project("bb", folder))
        let plain = PlainScript(
            builder: builder, project: plains, image: "\(ground.registry.host)/plain-mono-\(builder.rawValue)",
            folder: folder + "/clone", environment: environment)
        let rules = Self.folders.map { "{branch: main, context: /\($0), tags: [\($0)-latest, '\($0)-{sha12}']}" }
        let slipway = try await SlipwayRun.start(
            ground, builder, [.init(project: ours, name: Self.name, rules: rules)], workers: 4,
            environment: environment)
        do {
            let row = try await measure(runs, plain, slipway, ours)
            await slipway.service.stop()
            return [row]
        } catch {
            await slipway.service.stop()
            throw error
        }
    }

    private func measure(
        _ runs: Int, _ plain: PlainScript, _ slipway: SlipwayRun, _ ours: Project
    ) async throws -> Table.Row {
        var (plainTimes, ourTimes): ([Double], [Double]) = ([], [])
        var reused: [Int] = []
        // The first of each side builds all twenty, and counts for nothing.
        for run in 0...runs {
            Benchmarks.say("\(builder.rawValue) mono \(run)/\(runs)")
            _ = try plain.project.change(Self.file)
            let lap = try await plain.run(folders: Self.folders, jobs: jobs)
            let commit = try ours.change(Self.file)
            let start = Date()
            let builds = try await slipway.builds(of: commit, to: Self.name)
            let longest = builds.dropFirst(Self.changed).first
            let (views, time) = try await slipway.ends(of: builds, longest: longest, since: start)
            try await check(views, commit)
            guard run > 0 else { continue }
            plainTimes.append(lap.total)
            ourTimes.append(time)
            reused.append(views.count { $0.isReused })
        }
        Benchmarks.say("\(builder.rawValue) mono: of 20 images \(reused) were former builds'")
        let target: Table.Target? =
            switch builder {
            case .buildkit: .ratio(0.35)
            case .buildah: .ratio(0.12)
            case .classic: nil
            }
        return Table.Row(
            name: "\(builder.rawValue), 20 images, one changed (script: \(jobs) at once)", plain: Sample(plainTimes),
            slipway: Sample(ourTimes), unit: .seconds, target: target)
    }

    private func check(_ builds: [Service.BuildView], _ commit: String) async throws {
        guard builds.count == Self.folders.count else {
            throw SlipwayRun.Failed(description: "\(builds.count) builds were made, not \(Self.folders.count)")
        }
        for build in builds {
            guard let rule = build.json["rule"] as? Int, Self.folders.indices.contains(rule - 1) else { continue }
            for tag in ["latest", String(commit.prefix(12))] {
                try await ground.expect(
                    "\(Self.name)-\(builder.rawValue)", tag: "\(Self.folders[rule - 1])-\(tag)", at: build)
            }
        }
    }

    private func project(_ mark: String, _ folder: String) throws -> Project {
        let project = Project(name: "mono", git: try GitProject(in: folder, name: "mono-\(mark)"))
        for name in Self.folders {
            try project.writeApplication(mark: "\(name) \(mark)", base: ground.base, in: name + "/")
        }
        return project
    }
}
