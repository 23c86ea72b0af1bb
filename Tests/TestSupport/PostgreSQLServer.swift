import Foundation
import Synchronization

/// A PostgreSQL server of a test's own, run as an ordinary user; it ends, and its files go, with the test's process.
package final class PostgreSQLServer: Sendable {
    package var port: UInt16 { chosen.withLock(\.self) }
    private let chosen: Mutex<UInt16>
    private let host: NetworkHost?
    private let files: PostgreSQLFiles
    private let programs: String
    private let server = Mutex<Program?>(nil)
    private let databases = Mutex<Set<String>>([])

    /// Where the server's programs are; nil where it is not installed.
    package static let programs: String? = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        return versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }.map { "/usr/lib/postgresql/\($0)/bin" }.first {
            FileManager.default.isExecutableFile(atPath: "\($0)/initdb")
        }
    }()

    private static let one = Task {
        programs == nil
            ? nil
            : try await PostgreSQLServer(settings: [
                "fsync=off", "full_page_writes=off", "max_connections=1000",
                // Its databases are many, small, and soon gone: nobody is to tidy them, or to write them back.
                "autovacuum=off", "checkpoint_timeout=1h", "max_wal_size=8GB", "wal_level=minimal", "max_wal_senders=0",
            ])
    }

    /// One for all tests of a process that need no more of it than a database; nil where none is installed.
    package static func shared() async throws -> PostgreSQLServer? { try await one.value }

    /// - Parameters:
    ///   - host: where it runs, for all of that network; nil is loopback.
    ///   - settings: `name=value`, as in postgresql.conf.
    ///   - primary: the address of the server that it follows as a standby.
    package init(
        on host: NetworkHost? = nil, port: UInt16? = nil, settings: [String] = [], following primary: String? = nil
    ) async throws {
        guard let programs = Self.programs else { throw CocoaError(.fileNoSuchFile) }
        self.programs = programs
        self.host = host
        chosen = Mutex(try port ?? (host == nil ? FreePort.pick() : 5432))
        files = try await PostgreSQLFiles(programs: programs)
        if let primary {
            try await run("pg_basebackup", ["-d", primary, "-D", "\(folder)/data", "-R", "-X", "stream", "-c", "fast"])
        } else {
            try await files.makeData()
        }
        let lines =
            ["listen_addresses='\(address)'", "unix_socket_directories='\(folder)'"] + settings
        try await add(lines, to: "postgresql.conf")
        if host != nil {
            try await add(["all", "replication"].map { "host \($0) all \(Hosts.subnet) trust" }, to: "pg_hba.conf")
        }
        do {
            try await start()
        } catch  where port == nil && host == nil && log.contains("Address already in use") {
            // Somebody was faster.
            chosen.withLock { $0 = (try? FreePort.pick()) ?? $0 }
            try await start()
        }
    }

    /// Its files, and its socket.
    package var folder: String { files.folder }
    private var address: String { host?.address ?? "127.0.0.1" }
    /// `127.0.0.1:5432`.
    package var place: String { "\(address):\(port)" }

    private func add(_ lines: [String], to file: String) async throws {
        let text = lines.map { "\n" + $0 }.joined() + "\n"
        try await Command.run("tee", ["-a", "\(folder)/data/\(file)"], input: Data(text.utf8))
    }

    /// The address of a database.
    package func url(_ database: String = "postgres") -> String {
        "postgresql://slipway@\(place)/\(database)"
    }

    /// The address of a database of this name, made where it is not there.
    ///
    /// - Parameter template: what it is a copy of.
    package func database(_ name: String, from template: String = "template1") async throws -> String {
        let isNew = databases.withLock { $0.insert(name).inserted }
        if isNew { try await sql("CREATE DATABASE \"\(name)\" TEMPLATE \"\(template)\"") }
        return url(name)
    }

    /// Takes the server the time to write back all that is in its memory: of small ones that go with it, none is.
    package func drop(_ name: String) async throws {
        let isThere = databases.withLock { $0.remove(name) != nil }
        if isThere { try await sql("DROP DATABASE \"\(name)\" WITH (FORCE)") }
    }

    /// Runs SQL as the databases' owner.
    ///
    /// - Returns: the rows, one a line, their columns separated by `|`.
    @discardableResult
    package func sql(_ text: String, in database: String = "postgres") async throws -> String {
        try await Command.run(
            "\(programs)/psql",
            [
                "-h", folder, "-p", "\(port)", "-U", "slipway", "-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c",
                text,
            ])
    }

    /// Ends the connections of others.
    ///
    /// - Returns: how many there were.
    @discardableResult
    package func endConnections(to database: String? = nil) async throws -> Int {
        let which = database.map { "AND datname = '\($0)'" } ?? ""
        let ended = try await sql(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() \(which)
            """)
        return Int(ended) ?? 0
    }

    /// Lets in over TCP only whom this line of pg_hba.conf names.
    package func admit(_ line: String) async throws {
        try await sql(
            """
            COPY (SELECT unnest(ARRAY['local all all trust', '\(line)'])) TO '\(folder)/data/pg_hba.conf';
            SELECT pg_reload_conf();
            """)
    }

    package var log: String { (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "" }

    /// Starts it, and waits until it takes connections.
    package func start() async throws {
        let (program, words) = there("postgres", ["-D", "\(folder)/data", "-p", "\(port)"])
        let process = try Command.process(program, words, in: "/", environment: ["LC_ALL": "C.UTF-8"])
        try Data().write(to: URL(fileURLWithPath: "\(folder)/log"))
        let output = FileHandle(forWritingAtPath: "\(folder)/log")
        process.standardOutput = output
        process.standardError = output
        try process.runUnmasked()
        server.withLock { $0 = process }
        let end = Date().addingTimeInterval(30)
        while (try? await sql("SELECT 1")) == nil {
            guard process.isRunning, Date() < end else { throw Daemon.NotReady(description: "PostgreSQL: \(log)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Ends it in good order, or as by a power cut.
    package func stop(atOnce: Bool = false) async {
        guard let process = server.withLock({ $0 }) else { return }
        if process.isRunning { kill(process.processIdentifier, atOnce ? SIGQUIT : SIGINT) }
        await process.ended()
        server.withLock { $0 = nil }
    }

    /// Makes a standby the server that takes changes.
    package func promote() async throws { try await run("pg_ctl", ["promote", "-D", "\(folder)/data"]) }

    private func run(_ program: String, _ arguments: [String]) async throws {
        let (program, words) = there(program, arguments)
        try await Command.run(program, words, in: "/", environment: ["LC_ALL": "C.UTF-8"])
    }

    /// One of its programs where the server runs.
    private func there(_ program: String, _ arguments: [String]) -> (String, [String]) {
        let (program, words) = PostgreSQLFiles.asUser("\(programs)/\(program)", arguments)
        let all = (host?.launcher ?? []) + [program] + words
        return (all[0], Array(all.dropFirst()))
    }
}
