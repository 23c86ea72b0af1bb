import Foundation
import Platform
import TestSupport

/// A repository of 5,000 files and more than 50 MB of history, with one file changed.
struct LargeRepository: Sendable {
    /// What is built of it.
    private enum Part: String, CaseIterable {
        case whole, folder

        var context: String { self == .whole ? "/" : "/service" }
        var changed: String { self == .whole ? "part00/f3.txt" : "service/src/f3.c" }
        var title: String { self == .whole ? "all of it the context" : "one folder the context" }
        var repository: String { "bench/large-\(rawValue)" }
    }

    let ground: Ground
    let builder: Builder

    private static let (folders, filesPerFolder, versions) = (50, 100, 4)

    func measure(runs: Int) async throws -> [Table.Row] {
        let folder = try ground.room("large")
        let environment = try builder.environment(ground.daemon, in: folder)
        Benchmarks.say("\(builder.rawValue) large: making the repositories")
        let history = Self.history()
        let plains = try await project("aa", history, folder)
        let ours = try await project("bb", history, folder)
        let slipway = try await SlipwayRun.start(
            ground, builder,
            Part.allCases.map {
                .init(
                    project: ours, name: $0.repository,
                    rules: ["{branch: main, context: \($0.context), tags: [latest]}"])
            }, environment: environment)
        do {
            var rows: [Table.Row] = []
            for part in Part.allCases {
                let plain = PlainScript(
                    builder: builder, project: plains,
                    image: "\(ground.registry.host)/plain-large-\(part.rawValue)-\(builder.rawValue)",
                    folder: folder + "/clone", environment: environment, context: "." + part.context)
                rows.append(try await measure(part, runs, plain, slipway, ours))
            }
            await slipway.service.stop()
            return rows
        } catch {
            await slipway.service.stop()
            throw error
        }
    }

    private func measure(
        _ part: Part, _ runs: Int, _ plain: PlainScript, _ slipway: SlipwayRun, _ ours: Project
    ) async throws -> Table.Row {
        var (plainTimes, ourTimes): ([Double], [Double]) = ([], [])
        // The first of each side fills caches and clones the mirror, and counts for nothing.
        for run in 0...runs {
            Benchmarks.say("\(builder.rawValue) large, \(part.rawValue) \(run)/\(runs)")
            _ = try plain.project.change(part.changed)
            let plainLap = try await plain.run()
            let (ourLap, build) = try await slipway.build(ours.change(part.changed), of: part.repository)
            try await ground.expect("\(part.repository)-\(builder.rawValue)", tag: "latest", at: build)
            guard run > 0 else { continue }
            plainTimes.append(plainLap.total)
            ourTimes.append(ourLap.total)
        }
        return Table.Row(
            name: "\(builder.rawValue), large repository, \(part.title)", plain: Sample(plainTimes),
            slipway: Sample(ourTimes), unit: .seconds, target: .below(ratio: 1))
    }

    private func project(_ mark: String, _ history: Data, _ folder: String) async throws -> Project {
        let git = try GitProject(in: folder, name: "large-\(mark)")
        try await Command.run("git", ["fast-import", "--quiet"], in: git.bare, input: history)
        try git.git("fetch", "-q", "origin")
        try git.git("reset", "-q", "--hard", "origin/main")
        let project = Project(name: "large", git: git)
        try project.writeApplication(mark: "large \(mark)", base: ground.base, in: "service/")
        try git.write("Dockerfile", "FROM \(ground.base)\nCOPY part00 /app\nRUN cat /app/* | sha256sum > /built\n")
        _ = try project.commit()
        return project
    }

    /// For git-fast-import(1): every version writes each file anew, as text that does not compress well.
    private static func history() -> Data {
        var stream = Data()
        for version in 1...versions {
            stream += Data(
                "commit refs/heads/main\ncommitter Ada <ada@example.com> \(1_700_000_000 + version) +0000\ndata 1\nv\n"
                    .utf8
            )
            for folder in 0..<folders {
                for file in 0..<filesPerFolder {
                    let text = Crypto.randomBytes(3_060).base64EncodedData(options: .lineLength64Characters)
                    let path = "part" + String(format: "%02d", folder) + "/f\(file).txt"
                    stream += Data("M 100644 inline \(path)\ndata \(text.count)\n".utf8) + text + Data("\n".utf8)
                }
            }
        }
        return stream
    }
}
