import Foundation
import Platform
import TestSupport

/// How many signed webhooks a second are kept and answered, beside Debian's `webhook` and what SQLite alone can write.
struct IntakeLoad: Sendable {
    static let connections = 64
    private static let seconds = 6

    /// One run of the load.
    struct Figures: Sendable {
        var answers = 0.0
        var middle = 0.0
        var p99 = 0.0
        var errors = 0
        /// Of the service, in bytes.
        var memory = 0.0
    }

    let folder: Ground.Folder
    /// Nil is SQLite, which is measured beside others' figures.
    var server: PostgreSQLServer?

    func measure(runs: Int) async throws -> [Table.Row] {
        let folder = try folder.room("intake")
        Benchmarks.say("intake: writing requests down")
        // No run can use up as many as these.
        let count = Self.seconds * 15_000
        let ours = try Payloads(count: count, threads: 2, path: "/webhooks/bench/intake", folder: folder)
        if server != nil { return try await postgreSQL(ours, runs, folder) }
        try FileManager.default.createDirectory(atPath: folder + "/peer", withIntermediateDirectories: true)
        let theirs = try Payloads(count: count / 3, threads: 2, path: "/hooks/push", folder: folder + "/peer")
        var (slipway, peer, floors): ([Figures], [Figures], [Floor]) = ([], [], [])
        for run in 1...runs {
            Benchmarks.say("intake \(run)/\(runs): floor, webhook, slipway")
            if let floor = try await Floor.measure(in: folder) { floors.append(floor) }
            peer.append(try await webhook(theirs, folder))
            slipway.append(try await service(ours, folder))
        }
        try await killed(ours, folder)
        func sample(_ figures: [Figures], _ value: (Figures) -> Double) -> Sample { Sample(figures.map(value)) }
        var rows = [
            Table.Row(
                name: "webhooks answered, 64 connections", plain: sample(peer, \.answers),
                slipway: sample(slipway, \.answers), unit: .perSecond, target: .atLeast(6000)),
            Table.Row(
                name: "median of an answer", plain: sample(peer, \.middle), slipway: sample(slipway, \.middle),
                unit: .milliseconds),
            Table.Row(
                name: "p99 of an answer", plain: sample(peer, \.p99), slipway: sample(slipway, \.p99),
                unit: .milliseconds, target: .atMost(0.040)),
            Table.Row(name: "most memory under this load", slipway: sample(slipway, \.memory), unit: .megabytes),
        ]
        if !floors.isEmpty {
            rows.append(
                Table.Row(
                    name: "rows by SQLite alone, one a commit", slipway: Sample(floors.map(\.single)), unit: .perSecond)
            )
            rows.append(
                Table.Row(
                    name: "rows by SQLite alone, 50 a commit", slipway: Sample(floors.map(\.grouped)), unit: .perSecond)
            )
        }
        return rows
    }

    /// On a server of this machine too, in turns with SQLite.
    private func postgreSQL(_ payloads: Payloads, _ runs: Int, _ folder: String) async throws -> [Table.Row] {
        let alone = IntakeLoad(folder: self.folder)
        var (ours, sqlite): ([Figures], [Figures]) = ([], [])
        // A server that has just begun makes its log's files, and everybody waits for each of 16 MB; one that has run for
        // a while takes old ones.
        Benchmarks.say("intake-postgresql: the server's first load")
        _ = try await service(payloads, folder)
        for run in 1...runs {
            Benchmarks.say("intake-postgresql \(run)/\(runs): sqlite, postgresql")
            sqlite.append(try await alone.service(payloads, folder))
            ours.append(try await service(payloads, folder))
        }
        try await killed(payloads, folder)
        func row(_ name: String, _ value: (Figures) -> Double, _ unit: Unit, _ target: Table.Target?) -> Table.Row {
            Table.Row(
                name: "on PostgreSQL (beside it: SQLite): \(name)", plain: Sample(sqlite.map(value)),
                slipway: Sample(ours.map(value)), unit: unit, target: target)
        }
        return [
            row("webhooks answered, 64 connections", \.answers, .perSecond, .atLeast(3000)),
            row("median of an answer", \.middle, .milliseconds, nil),
            row("p99 of an answer", \.p99, .milliseconds, .atMost(0.060)),
            row("most memory under this load", \.memory, .megabytes, nil),
        ]
    }

    // MARK: Slipway

    private func settings(_ folder: String, _ database: String?) throws -> String {
        let file = folder + "/slipway.yaml"
        let text = """
            listen: 127.0.0.1:0
            database: \(database ?? "sqlite")
            data: "\(folder)/data"
            workers: 0
            limits: {pending: 1000000, pending_per_repository: 1000000}
            repositories:
              bench/intake:
                source: https://git.example.com/bench/intake.git
                image: localhost:5000/bench/intake
                webhook_secret: "\(Payloads.secret)"
                rules:
                  - {branch: main, tags: [latest]}

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Settings with nothing accepted yet.
    private func newSettings(_ folder: String) async throws -> String {
        try? FileManager.default.removeItem(atPath: folder + "/data")
        try await server?.drop("intake")
        return try settings(folder, await server?.database("intake"))
    }

    private func service(_ payloads: Payloads, _ folder: String) async throws -> Figures {
        let service = try await Service.start(config: newSettings(folder))
        do {
            var figures = try await load(service.url, payloads)
            figures.memory = try service.memory(.most)
            await service.stop()
            return figures
        } catch {
            await service.stop()
            throw error
        }
    }

    /// Kills the service in the middle of the load, starts it again, and looks for every delivery that was answered.
    private func killed(_ payloads: Payloads, _ folder: String) async throws {
        let config = try await newSettings(folder)
        let acked = folder + "/acked-"
        let first = try await Service.start(config: config)
        let load = Task { try await self.load(first.url, payloads, acked: acked) }
        try await Task.sleep(for: .seconds(Self.seconds / 2))
        await first.kill9()
        _ = try await load.value
        var told: Set<String> = []
        for file in payloads.files.indices {
            let text = try String(contentsOfFile: acked + "\(file)", encoding: .utf8)
            told.formUnion(text.split(separator: "\n").map(String.init))
        }
        let second = try await Service.start(config: config)
        do {
            var (kept, before): (Set<String>, String?) = ([], nil)
            repeat {
                let page = try await second.request(
                    "GET", "/api/v1/deliveries?limit=500" + (before.map { "&before=\($0)" } ?? ""))
                let deliveries = page.object["deliveries"] as? [[String: Any]] ?? []
                kept.formUnion(deliveries.compactMap { $0["id"] as? String })
                before = page.object["next"] as? String
            } while before != nil
            await second.stop()
            let lost = told.subtracting(kept)
            guard lost.isEmpty, !told.isEmpty else {
                throw SlipwayRun.Failed(
                    description: "after kill -9, \(lost.count) of \(told.count) answered deliveries are lost")
            }
            Benchmarks.say(
                "intake: killed with -9 in the middle: answered \(told.count), kept \(kept.count), lost \(lost.count)")
        } catch {
            await second.stop()
            throw error
        }
    }

    // MARK: Debian's webhook, which answers after its command has ended

    private func webhook(_ payloads: Payloads, _ folder: String) async throws -> Figures {
        let hooks = """
            [{"id": "push", "execute-command": "/bin/true", "include-command-output-in-response": true,
              "trigger-rule": {"match": {"type": "payload-hmac-sha256", "secret": "\(Payloads.secret)",
                "parameter": {"source": "header", "name": "X-Hub-Signature-256"}}}}]
            """
        try Data(hooks.utf8).write(to: URL(fileURLWithPath: folder + "/hooks.json"))
        let port = try FreePort.pick()
        let daemon = try Daemon(
            "webhook", ["-hooks", folder + "/hooks.json", "-ip", "127.0.0.1", "-port", "\(port)"],
            log: folder + "/webhook.log")
        defer { daemon.stop() }
        try await daemon.waitUntilReady(port: port)
        return try await load("http://127.0.0.1:\(port)", payloads)
    }

    // MARK: The load

    private func load(_ url: String, _ payloads: Payloads, acked: String? = nil) async throws -> Figures {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "intake.lua").path
        var environment = ["REQUESTS": String(payloads.files[0].dropLast()), "LENGTH": "\(payloads.length)"]
        environment["ACKED"] = acked
        let output = try await Command.run(
            "wrk",
            ["-t2", "-c\(Self.connections)", "-d\(Self.seconds)s", "--timeout", "10s", "-s", script, url],
            environment: environment)
        let numbers = output.split(separator: "\n").first { $0.hasPrefix("RESULT") }?.split(separator: " ").dropFirst()
            .compactMap { Double($0) }
        guard let numbers, numbers.count == 5 else {
            throw SlipwayRun.Failed(description: "wrk said no result:\n\(output)")
        }
        let figures = Figures(
            answers: numbers[0] / (numbers[1] / 1e6), middle: numbers[2] / 1e6, p99: numbers[3] / 1e6,
            errors: Int(numbers[4]))
        if acked == nil, figures.errors > 0 {
            throw SlipwayRun.Failed(description: "\(figures.errors) requests of the load failed:\n\(output)")
        }
        return figures
    }
}

/// What SQLite writes durably with nothing around it; its source lies beside the project, or this is left out.
struct Floor: Sendable {
    let single: Double
    let grouped: Double

    static func measure(in folder: String) async throws -> Floor? {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/bench/floor.c").path
        guard FileManager.default.fileExists(atPath: source) else {
            Benchmarks.say("intake: SQLite's floor is left out: \(source) is not there")
            return nil
        }
        let program = folder + "/floor"
        if !FileManager.default.fileExists(atPath: program) {
            try await Command.run("cc", ["-O2", source, "-lsqlite3", "-o", program])
        }
        let output = try await Command.run(program, [folder, "2"])
        func rows(_ rowsPerCommit: Int) throws -> Double {
            let line = output.split(separator: "\n").first {
                $0.contains("sync=FULL \(rowsPerCommit) row(s)/txn 7500B")
            }
            guard let words = line?.split(separator: " "), let unit = words.firstIndex(of: "rows/s"), unit > 0,
                let value = Double(words[unit - 1])
            else { throw SlipwayRun.Failed(description: "the floor said nothing of \(rowsPerCommit):\n\(output)") }
            return value
        }
        return Floor(single: try rows(1), grouped: try rows(50))
    }
}
