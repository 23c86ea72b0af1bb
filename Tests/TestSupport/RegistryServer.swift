import Foundation
import FoundationNetworking
import Model
import Platform
import Synchronization

/// Debian's `docker-registry` on loopback or a host, with its storage in a folder of its own; both are gone with the object.
///
/// Everything here speaks to the registry by itself, so that it can prove what the service's own client did.
package final class RegistryServer: Sendable {
    package static let program = "/usr/bin/docker-registry"
    /// Whether the machine has it, and what an image is packed with.
    package static let isInstalled = [program, "/usr/bin/htpasswd", "/usr/bin/openssl"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private struct State {
        var process: Program?
        var port: UInt16 = 0
        var log: [String] = []
    }

    let folder: URL
    private let listener: String?
    private let machine: NetworkHost?
    let login: Login?
    let usesTLS: Bool
    private let state = Mutex(State())

    /// `127.0.0.1:5000`, as in image names.
    package var host: String { "\(address):\(port)" }
    private var address: String { machine?.address ?? "127.0.0.1" }
    /// The same after `restart`.
    package var port: UInt16 { state.withLock(\.port) }
    /// Where its images are, in the layout of the `filesystem` driver.
    package var storage: URL { folder.appending(path: "storage/docker/registry/v2") }
    /// What the registry has said since its first start, a line each.
    package var log: [String] { state.withLock(\.log) }
    package var processID: Int32? { state.withLock { $0.process?.processIdentifier } }

    /// Starts a registry and waits until it listens.
    ///
    /// - Parameters:
    ///   - htpasswd: the one user that it lets in; nil lets everybody in.
    ///   - port: 0 picks a free one.
    ///   - tls: HTTPS, with a certificate that nobody has reason to trust.
    ///   - notifying: the address that it tells of pushes.
    package static func start(
        htpasswd: Login? = nil, port: UInt16 = 0, tls: Bool = false, notifying: String? = nil,
        on machine: NetworkHost? = nil
    ) async throws -> RegistryServer {
        let server = try RegistryServer(login: htpasswd, tls: tls, notifying: notifying, machine: machine)
        try await server.run(port: port)
        return server
    }

    private init(login: Login?, tls: Bool, notifying: String?, machine: NetworkHost?) throws {
        self.login = login
        self.machine = machine
        listener = notifying
        usesTLS = tls
        folder = FileManager.default.temporaryDirectory.appending(path: "registry-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        if let login {
            let line = try Shell.run(
                "/usr/bin/htpasswd", ["-niB", login.username], input: Data(login.password.value.utf8))
            try line.write(to: folder.appending(path: "htpasswd"))
        }
        if tls {
            try Shell.run(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=registry", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder.path)/key.pem", "-out",
                    "\(folder.path)/cert.pem",
                ])
        }
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Ends the registry; its images stay.
    package func stop() {
        let process = state.withLock { state in
            defer { state.process = nil }
            return state.process
        }
        guard let process else { return }
        process.terminate()
        process.waitUntilExit()
    }

    /// Starts it again, after `stop`, on the port that it had.
    package func restart() async throws {
        try await run(port: port)
    }

    private func run(port: UInt16) async throws {
        let settings = folder.appending(path: "config.yml")
        try Data(configuration(port: port).utf8).write(to: settings)
        let process = Program()
        let output = Pipe()
        let words = (machine?.launcher ?? []) + [Self.program, "serve", settings.path]
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = ["PATH": "/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = output
        let lines = AsyncStream<String> { stream in
            let unread = Mutex(Data())
            output.fileHandleForReading.readabilityHandler = { [weak self] handle in
                let data = handle.availableData
                if data.isEmpty {
                    handle.readabilityHandler = nil
                    stream.finish()
                }
                unread.withLock { unread in
                    unread.append(data)
                    while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                        let line = String(decoding: unread[..<end], as: UTF8.self)
                        self?.state.withLock { $0.log.append(line) }
                        stream.yield(line)
                        unread = Data(unread[(end + 1)...])
                    }
                }
            }
        }
        try process.runUnmasked()
        // The end of the program ends the lines, so this waits for no longer than it lives.
        for await line in lines {
            guard let match = line.firstMatch(of: /listening on [0-9.]+:([0-9]+)/), let port = UInt16(match.1)
            else { continue }
            state.withLock { state in
                state.process = process
                state.port = port
            }
            return
        }
        process.waitUntilExit()
        throw Shell.Failure(description: "docker-registry ended before it listened:\n" + log.joined(separator: "\n"))
    }

    private func configuration(port: UInt16) -> String {
        var text = """
            version: 0.1
            log:
              level: info
              formatter: text
            storage:
              filesystem:
                rootdirectory: \(folder.path)/storage
              delete:
                enabled: true
            http:
              addr: \(address):\(port)

            """
        if usesTLS { text += "  tls:\n    certificate: \(folder.path)/cert.pem\n    key: \(folder.path)/key.pem\n" }
        if let listener {
            text += """
                notifications:
                  endpoints:
                    - name: listener
                      url: \(listener)
                      timeout: 1s
                      threshold: 5
                      backoff: 1s

                """
        }
        if login != nil { text += "auth:\n  htpasswd:\n    realm: registry\n    path: \(folder.path)/htpasswd\n" }
        return text
    }
}

/// Runs one program to its end.
enum Shell {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Returns: what it wrote to standard output.
    @discardableResult
    static func run(_ program: String, _ arguments: [String], input: Data? = nil) throws -> Data {
        let process = Program()
        let (stdin, stdout) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = input == nil ? FileHandle.nullDevice : stdin
        process.standardOutput = stdout
        process.standardError = FileHandle.nullDevice
        try process.runUnmasked()
        if let input {
            try stdin.fileHandleForWriting.write(contentsOf: input)
            try stdin.fileHandleForWriting.close()
        }
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(
                description: "\(program) \(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
        }
        return output
    }
}
