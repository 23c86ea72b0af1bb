import Foundation
import Platform
import TestSupport

/// Measures what a build costs, side by side with a plain script on the same machine; run by `run.sh`.
@main enum Benchmarks {
    static func main() async {
        // A service that went away is an error to report, not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        do {
            let words = CommandLine.arguments.dropFirst()
            if let worker = TrivialWorker(words) { return try await worker.run() }
            let options = try Options(words)
            let table = Table(rows: try await measureAlone(options))
            guard options.cases.contains(where: \.needsGround) else { return show(table, options) }
            try await withDaemon(options) { daemon in
                var ground = try await Ground(daemon: daemon)
                ground.showsPhases = options.showsPhases
                try await measure(options, ground, table)
            }
        } catch {
            FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
            exit(error is Options.Wrong ? 1 : 2)
        }
    }

    /// What needs no registry and no engine.
    private static func measureAlone(_ options: Options) async throws -> [Table.Row] {
        let folder = try Ground.Folder()
        let runs = min(options.runs, 5)
        var rows: [Table.Row] = []
        if options.cases.contains(.history) { rows += try await LongHistory.measure(runs: runs) }
        if options.cases.contains(.intake) { rows += try await IntakeLoad(folder: folder).measure(runs: runs) }
        if options.cases.contains(.workers) {
            rows += try await ManyWorkers(folder: folder, showsPhases: options.showsPhases).measure(runs: min(runs, 3))
        }
        if options.cases.contains(.claims) {
            rows += try await FullQueue(folder: folder).measure(runs: min(runs, 3))
        }
        if options.cases.contains(.intakePostgreSQL) {
            let server = try await PostgreSQLServer()
            rows += try await IntakeLoad(folder: folder, server: server).measure(runs: runs)
            await server.stop()
        }
        return rows
    }

    private static func withDaemon(
        _ options: Options, _ body: @escaping @Sendable (DockerDaemon?) async throws -> Void
    ) async throws {
        if options.builders.contains(where: \.needsDocker) {
            try await DockerDaemon.run(body)
        } else {
            try await body(nil)
        }
    }

    private static func measure(_ options: Options, _ ground: Ground, _ table: Table) async throws {
        var table = table
        if let builder = options.builders.first {
            if options.cases.contains(.memory) {
                let runs = min(options.runs, 3)
                table.rows += try await IdleMemory(ground: ground, builder: builder).measure(runs: runs)
                table.rows += try await BusyMemory(ground: ground, builder: builder).measure(runs: runs)
            }
            if options.cases.contains(.startup) {
                table.rows += try await StartUp(ground: ground, builder: builder).measure(starts: 10)
            }
            if options.cases.contains(.start) {
                table.rows += try await StartOfBuilds(ground: ground, builder: builder).measure(pushes: 50)
            }
        }
        for builder in options.builders { table.rows += try await measure(options, ground, builder) }
        show(table, options)
    }

    /// What is measured with each engine.
    private static func measure(_ options: Options, _ ground: Ground, _ builder: Builder) async throws -> [Table.Row] {
        var rows: [Table.Row] = []
        let cases = WholeBuilds.Case.allCases.filter { options.cases.contains($0.option) }
        if !cases.isEmpty {
            rows += try await WholeBuilds(ground: ground, builder: builder).measure(cases, runs: options.runs)
        }
        if options.cases.contains(.mono) {
            rows += try await Monorepo(ground: ground, builder: builder).measure(runs: min(options.runs, 5))
        }
        if options.cases.contains(.large) {
            rows += try await LargeRepository(ground: ground.inMemory(), builder: builder).measure(
                runs: min(options.runs, 5))
        }
        if options.cases.contains(.queue) {
            rows += try await ManyBuilds(ground: ground, builder: builder).measure(runs: min(options.runs, 2))
        }
        if options.cases.contains(.overhead) {
            rows += try await Overhead(ground: ground, builder: builder).measure(pushes: 30)
        }
        return rows
    }

    private static func show(_ table: Table, _ options: Options) {
        print(options.isMarkdown ? table.markdown : table.text)
    }

    /// For the person who waits.
    static func say(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
}
