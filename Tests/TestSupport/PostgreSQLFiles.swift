import Foundation

/// A folder of a PostgreSQL server's own, which goes with the test's process, however that ends.
final class PostgreSQLFiles: Sendable {
    let folder: String
    /// What waits for the end of this process.
    private let leash: Pipe

    /// - Parameter programs: where the server's programs are, one of which ends what runs in the folder by then.
    init(programs: String) async throws {
        folder = "/tmp/slipway-postgresql-\(UUID().uuidString)"
        leash = Pipe()
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        if getuid() == 0 { try await Command.run("chown", ["65534:65534", folder]) }
        try watch(programs)
    }

    deinit { try? leash.fileHandleForWriting.close() }

    private func watch(_ programs: String) throws {
        let watcher = Program()
        let (program, words) = Self.asUser("\(programs)/pg_ctl", ["stop", "-m", "immediate", "-D", "\(folder)/data"])
        // In a session of its own: the end of the tests may be a hangup.
        watcher.executableURL = URL(fileURLWithPath: Command.path(of: "setsid") ?? "/usr/bin/setsid")
        watcher.arguments =
            ["sh", "-c", "cat >/dev/null; \"$@\" >/dev/null 2>&1; rm -rf '\(folder)'", "sh", program] + words
        watcher.standardInput = leash
        try watcher.runUnmasked()
        try leash.fileHandleForReading.close()
    }

    /// PostgreSQL refuses to run as root.
    static func asUser(_ program: String, _ arguments: [String]) -> (String, [String]) {
        if getuid() != 0 { return (program, arguments) }
        let setpriv = Command.path(of: "setpriv") ?? "setpriv"
        return (setpriv, ["--reuid", "65534", "--regid", "65534", "--clear-groups", program] + arguments)
    }

    /// What initdb makes takes a second; copies of it take none.
    private static let made = Task { () -> PostgreSQLFiles in
        guard let programs = PostgreSQLServer.programs else { throw CocoaError(.fileNoSuchFile) }
        let files = try await PostgreSQLFiles(programs: programs)
        let (program, words) = asUser(
            "\(programs)/initdb",
            [
                "-D", "\(files.folder)/data", "-U", "slipway", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                "--no-sync",
            ])
        try await Command.run(program, words, in: "/", environment: ["LC_ALL": "C.UTF-8"])
        return files
    }

    /// The files of a server that has not run yet.
    func makeData() async throws {
        let made = try await Self.made.value
        try await Command.run("cp", ["-a", "\(made.folder)/data", "\(folder)/data"])
    }
}
