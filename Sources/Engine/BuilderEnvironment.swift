import Foundation
import Platform

/// What builders get of the service's environment: where things are and how to reach the network, never its secrets.
struct BuilderEnvironment: Sendable {
    let variables: [String: String]

    private static let names: Set<String> = [
        "PATH", "HOME", "USER", "TMPDIR", "LANG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
        "DBUS_SESSION_BUS_ADDRESS", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
        "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
        "DOCKER_API_VERSION", "DOCKER_BUILDKIT", "DOCKER_DEFAULT_PLATFORM",
        "STORAGE_DRIVER", "STORAGE_OPTS", "BUILDAH_ISOLATION", "_CONTAINERS_USERNS_CONFIGURED",
    ]

    init(_ environment: [String: String]) {
        variables = environment.filter { Self.names.contains($0.key) || $0.key.hasPrefix("CONTAINERS_") }
    }

    subscript(name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The text of the first of these files that can be read; nil where there is none.
    func firstFile(_ paths: [String?]) -> String? {
        paths.compactMap(\.self).lazy.compactMap { try? String(contentsOfFile: $0, encoding: .utf8) }.first
    }

    /// The id of a local image, which docker, buildah and podman are asked for in the same words.
    ///
    /// - Returns: nil where there is none, or the builder fails: it is then as if there were none.
    func image(_ reference: String, _ program: String, adding more: [String: String] = [:]) async -> String? {
        let answer = try? await ask(program, ["images", "--quiet", "--no-trunc", reference], adding: more)
        return answer?.split(whereSeparator: \.isWhitespace).first.map(String.init)
    }

    /// Runs a builder's question about itself.
    ///
    /// - Returns: what it wrote to stdout.
    /// - Throws: `Unusable` with its last words, where it could not start, failed, or took longer than the timeout.
    func ask(
        _ program: String, _ arguments: [String], adding more: [String: String] = [:],
        timeout: Duration = .seconds(20)
    ) async throws -> String {
        let child = ChildProcess(program, arguments, environment: variables.merging(more) { $1 })
        let captured: ChildProcess.Captured
        do {
            captured = try await child.capture(timeout: timeout, grace: .seconds(1))
        } catch let error as ChildProcessError {
            throw Unusable(reason: error.description)
        }
        let question = "\"\(program) \(arguments.first ?? "")\""
        switch captured.ending {
        case .exited(0): return String(decoding: captured.stdout, as: UTF8.self)
        case .timedOut: throw Unusable(reason: "\(question) gave no answer for \(timeout.components.seconds) seconds")
        case .cancelled: throw CancellationError()
        case .exited, .signalled:
            var tail = OutputTail()
            tail.append(captured.stderr)
            let word = tail.lines.last ?? "it said nothing"
            throw Unusable(reason: "\(question) failed: \(word)")
        }
    }
}
