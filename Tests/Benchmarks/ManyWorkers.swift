import Foundation
import Model
import Platform
import Queue
import Synchronization
import TestSupport

/// Trivial builds by more and more worker processes that share one PostgreSQL, beside as many slots of one process on
/// SQLite; all on this machine.
struct ManyWorkers: Sendable {
    private static let counts = [1, 2, 5, 10, 20]
    private static let builds = 1_000
    private static let repositories = 50

    let folder: Ground.Folder
    /// Whether it is told which statements take the server's time.
    var showsPhases = false

    func measure(runs: Int) async throws -> [Table.Row] {
        let server = try await PostgreSQLServer(
            settings: ["max_connections=300"]
                + (showsPhases ? ["shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=all"] : []))
        if showsPhases { try await server.sql("CREATE EXTENSION pg_stat_statements") }
        var rows: [Table.Row] = []
        for count in Self.counts {
            var (ours, theirs): ([Figures], [Double]) = ([], [])
            for run in 1...runs {
                Benchmarks.say("workers \(run)/\(runs): \(count)")
                theirs.append(try await sqlite(slots: count))
                ours.append(try await processes(count, server, database: "workers-\(count)-\(run)"))
            }
            func sample(_ value: (Figures) -> Double) -> Sample { Sample(ours.map(value)) }
            let name = "\(count) worker\(count == 1 ? "" : "s")"
            rows += [
                Table.Row(
                    name: "\(name) (beside it: SQLite): trivial builds", plain: Sample(theirs),
                    slipway: sample(\.builds), unit: .perSecond),
                Table.Row(
                    name: "\(name): transactions a build", slipway: sample(\.transactions), unit: .pieces),
                Table.Row(name: "\(name): log of the database a build", slipway: sample(\.bytes), unit: .kilobytes),
                Table.Row(
                    name: "\(name): who did the fewest, of an even share", slipway: sample(\.fewest), unit: .percent),
            ]
        }
        await server.stop()
        return rows
    }

    private struct Figures {
        let builds: Double
        let transactions: Double
        let bytes: Double
        let fewest: Double
    }

    // MARK: PostgreSQL

    private func processes(_ count: Int, _ server: PostgreSQLServer, database: String) async throws -> Figures {
        let url = try await server.database(database)
        let store = try await DatabaseStore.open(postgreSQL: PostgreSQLAddress(url: url))
        try await fill(store)
        await store.close()
        var workers: [WorkerProcess] = []
        for number in 1...count {
            workers.append(try WorkerProcess(TrivialWorker(name: "worker-\(number)", database: url)))
        }
        for worker in workers { try await worker.isReady() }
        if showsPhases { try await server.sql("SELECT pg_stat_statements_reset()") }
        let before = try await counters(server, database)
        let start = ContinuousClock.now
        for worker in workers { worker.begin() }
        var claims: [[Hold]] = []
        for worker in workers { claims.append(try await worker.claims()) }
        let time = seconds(since: start)
        // Each has told the server's statistics when its connections ended.
        let after = try await counters(server, database)
        if showsPhases { try await tell(server) }
        try await check(claims, server, database)
        try await server.drop(database)
        return Figures(
            builds: Double(Self.builds) / time, transactions: (after.commits - before.commits) / Double(Self.builds),
            bytes: (after.bytes - before.bytes) / Double(Self.builds),
            fewest: Double(claims.map(\.count).min() ?? 0) / (Double(Self.builds) / Double(count)))
    }

    private func counters(
        _ server: PostgreSQLServer, _ database: String
    ) async throws -> (commits: Double, bytes: Double) {
        let text = try await server.sql(
            """
            SELECT xact_commit, pg_current_wal_insert_lsn() - '0/0' FROM pg_stat_database WHERE datname = '\(database)'
            """)
        let words = text.split(separator: "|").compactMap { Double($0) }
        guard words.count == 2 else { throw SlipwayRun.Failed(description: "PostgreSQL counted nothing: \(text)") }
        return (words[0], words[1])
    }

    /// - Throws: `SlipwayRun.Failed` where a build was claimed twice, or not ended by its first attempt.
    private func check(_ claims: [[Hold]], _ server: PostgreSQLServer, _ database: String) async throws {
        let all = claims.joined()
        let twice = Dictionary(grouping: all, by: \.build).values.filter { $0.count > 1 }.map { $0[0].build }
        guard twice.isEmpty, all.count == Self.builds, all.allSatisfy({ $0.attempt == 1 }) else {
            throw SlipwayRun.Failed(
                description: "\(all.count) claims of \(Self.builds) builds; more than once: \(twice.sorted())")
        }
        let finished = try await server.sql(
            "SELECT count(*) FROM builds WHERE state = 'finished' AND attempt = 1", in: database)
        guard finished == "\(Self.builds)" else {
            throw SlipwayRun.Failed(description: "\(finished) of \(Self.builds) builds finished at their first attempt")
        }
    }

    private func tell(_ server: PostgreSQLServer) async throws {
        Benchmarks.say(
            try await server.sql(
                """
                SELECT round(calls / \(Self.builds).0, 2) || ' calls, '
                    || round(total_exec_time * 1000 / \(Self.builds)) || ' µs a build: '
                    || left(regexp_replace(query, '\\s+', ' ', 'g'), 90)
                FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat%' ORDER BY total_exec_time DESC LIMIT 30
                """))
    }

    // MARK: SQLite

    private func sqlite(slots: Int) async throws -> Double {
        let path = try folder.room("workers") + "/slipway.sqlite"
        let store = try await DatabaseStore.open(sqlite: path, time: SystemTime())
        try await fill(store)
        let note = WorkerNote(name: "worker", labels: [], slots: slots, version: "", instance: "one")
        _ = try await store.checkIn(note)
        let start = ContinuousClock.now
        let claims = try await withThrowingTaskGroup(of: [Hold].self) { group in
            for _ in 1...slots { group.addTask { try await TrivialWorker.work(on: store, as: note.name) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let time = seconds(since: start)
        await store.close()
        guard Set(claims.map(\.build)).count == Self.builds, claims.count == Self.builds else {
            throw SlipwayRun.Failed(description: "\(claims.count) claims of \(Self.builds) builds on SQLite")
        }
        return Double(Self.builds) / time
    }

    private func fill(_ store: any Store) async throws {
        let deliveries = try (0..<Self.builds).map {
            try Past.delivery(repository: $0 % Self.repositories, commit: $0, before: 50_000_000 + $0)
        }
        _ = try await store.accept(deliveries, room: Room())
    }
}

/// A worker in a process of its own.
private final class WorkerProcess: Sendable {
    private let process = Program()
    private let input = Pipe()
    private let output = Pipe()

    init(_ worker: TrivialWorker) throws {
        process.executableURL = URL(
            fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        process.arguments = worker.words
        process.environment = ProcessInfo.processInfo.environment
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.standardError
        try process.runUnmasked()
        try input.fileHandleForReading.close()
    }

    func isReady() async throws {
        guard await read(upTo: "ready\n").hasPrefix("ready") else {
            throw SlipwayRun.Failed(description: "a worker process did not begin")
        }
    }

    func begin() { try? input.fileHandleForWriting.close() }

    /// Waits for its end.
    func claims() async throws -> [Hold] {
        let text = await read(upTo: nil)
        await process.ended()
        guard process.terminationStatus == 0 else {
            throw SlipwayRun.Failed(description: "a worker process ended with \(process.terminationStatus)")
        }
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let build = Build.ID(words[0]), let attempt = Int(words[1]) else { return nil }
            return Hold(build: build, attempt: attempt)
        }
    }

    private func read(upTo end: String?) async -> String {
        await withCheckedContinuation { done in
            Thread.detachNewThread { [self] in
                var text = Data()
                while end.map({ !text.ends(with: Data($0.utf8)) }) ?? true {
                    let more = output.fileHandleForReading.availableData
                    if more.isEmpty { break }
                    text += more
                }
                done.resume(returning: String(decoding: text, as: UTF8.self))
            }
        }
    }
}

extension Data {
    fileprivate func ends(with other: Data) -> Bool { suffix(other.count) == other }
}
