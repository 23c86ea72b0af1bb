import Foundation
import Platform

/// A dockerd of one suite, on a socket and a data root of its own; gone with the suite, also when the tests are killed.
package struct DockerDaemon: Sendable {
    /// `unix:///…`.
    package let host: String

    /// The daemon of the running suite; nil outside of `.dockerDaemon`.
    @TaskLocal package static var current: DockerDaemon?

    /// Whether this machine can run one: root, and the Debian packages docker.io and iptables.
    package static var isAvailable: Bool {
        getuid() == 0 && ["dockerd", "containerd"].allSatisfy { ChildProcess.find($0, in: environment) != nil }
    }

    /// What a docker command needs to speak to the daemon.
    package var environment: [String: String] {
        Self.environment.merging(["DOCKER_HOST": host]) { $1 }
    }

    private static let environment = [
        "PATH": "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin", "HOME": "/root",
    ]

    /// Runs a daemon for as long as `body` lasts.
    package static func run(_ body: @Sendable (DockerDaemon) async throws -> Void) async throws {
        // Short: a socket's path has at most 107 characters.
        let folder = "/tmp/slipway-docker-" + Crypto.randomBytes(4).hex
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let daemon = DockerDaemon(host: "unix://\(folder)/docker.sock")
        let (ready, isReady) = AsyncStream<Void>.makeStream()
        // No iptables: the rules of the machine are not the tests' to change. RUN steps have the bridge all the same.
        let child = ChildProcess(
            "dockerd",
            [
                "--data-root", folder + "/data", "--exec-root", folder + "/exec", "--pidfile", folder + "/docker.pid",
                "--host", daemon.host, "--iptables=false", "--ip6tables=false",
            ], environment: environment)
        let running = Task {
            var output = Data()
            defer { isReady.finish() }
            _ = try await child.run(grace: .seconds(20)) { data in
                output += data
                if output.range(of: Data("API listen on".utf8)) != nil { isReady.yield() }
            }
            return String(decoding: output.suffix(2000), as: UTF8.self)
        }
        let started = await withDeadline(.seconds(60)) { await ready.first { _ in true } != nil } ?? false
        if started {
            var failure: (any Error)?
            do {
                try await DockerDaemon.$current.withValue(daemon) { try await body(daemon) }
            } catch {
                failure = error
            }
            running.cancel()
            _ = try await running.value
            Mounts.remove(folder)
            if let failure { throw failure }
        } else {
            running.cancel()
            let output = try await running.value
            Mounts.remove(folder)
            throw NotStarted(description: "dockerd did not start: \(output)")
        }
    }

    private struct NotStarted: Error, CustomStringConvertible {
        let description: String
    }
}
