import Foundation
import Model

/// What `docker login` (and `podman login`, `buildah login`) left on this machine: logins, and who else to ask.
package struct DockerConfig: Sendable {
    /// Runs a credential helper: program, arguments, standard input.
    package typealias HelperRunner =
        @Sendable (_ program: String, _ arguments: [String], _ input: Data) async throws -> HelperResult

    /// How a credential helper ended, and what it wrote to standard output.
    package struct HelperResult: Sendable {
        package let exitCode: Int32
        package let output: Data

        package init(exitCode: Int32, output: Data) {
            self.exitCode = exitCode
            self.output = output
        }
    }

    /// The user name under which Docker's helpers and files keep an identity token instead of a password.
    package static let identityTokenUser = "<token>"

    /// In the order in which they are asked.
    private let files: [File]
    private let runHelper: HelperRunner

    /// Reads `config.json` of `$DOCKER_CONFIG`, else of `$HOME/.docker`, and then
    /// `$XDG_RUNTIME_DIR/containers/auth.json`, as far as they are there.
    ///
    /// - Returns: nil where no file is there.
    /// - Throws: `UnreadableConfig` for a file that is there but can't be read.
    package static func load(environment: [String: String], helper: @escaping HelperRunner) throws -> DockerConfig? {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        let paths = [
            value("DOCKER_CONFIG").map { "\($0)/config.json" } ?? value("HOME").map { "\($0)/.docker/config.json" },
            value("XDG_RUNTIME_DIR").map { "\($0)/containers/auth.json" },
        ]
        let files = try paths.compactMap(\.self).compactMap(File.read)
        return files.isEmpty ? nil : DockerConfig(files: files, runHelper: helper)
    }

    /// What is known for a registry, or for one image in it: an entry for the image's path goes before one for the host.
    ///
    /// - Returns: nil where nothing is known; a user name of `identityTokenUser` says that the password is an identity
    ///   token.
    /// - Throws: `HelperFailure` where a credential helper can't be run or fails.
    package func login(for host: String, path: String? = nil) async throws -> Login? {
        for file in files {
            if let helper = file.helpers[host] ?? file.store, let login = try await ask(helper, for: host) {
                return login
            }
            if let login = file.login(for: host, path: path) { return login }
        }
        return nil
    }

    /// The protocol of github.com/docker/docker-credential-helpers: `get`, the server's address on standard input.
    private func ask(_ helper: String, for host: String) async throws -> Login? {
        struct Answer: Decodable {
            var Username: String
            var Secret: String
        }
        let program = "docker-credential-\(helper)"
        let server = host == ImageName.dockerHub ? File.dockerHubKey : host
        let result: HelperResult
        do {
            result = try await runHelper(program, ["get"], Data(server.utf8))
        } catch let error as CancellationError {
            throw error
        } catch {
            throw HelperFailure("\(program) could not be run: \(error)")
        }
        if result.exitCode != 0 {
            // Helpers say on standard output, and only there, that they just don't know the server.
            let said = String(decoding: result.output.prefix(200), as: UTF8.self).lowercased()
            if said.contains("credentials not found") { return nil }
            throw HelperFailure("\(program) ended with exit code \(result.exitCode)")
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: result.output) else {
            throw HelperFailure("\(program) wrote something else than a JSON object with Username and Secret")
        }
        guard !answer.Secret.isEmpty else { return nil }
        return Login(username: answer.Username, password: Secret(answer.Secret))
    }
}

/// A Docker configuration that is there but can't be read.
package struct UnreadableConfig: Error, CustomStringConvertible {
    package let description: String

    init(path: String, why: String) {
        description = "could not read the registry logins in \(path): \(why); correct the file or remove it"
    }
}

/// A credential helper that can't be run, or fails; its output is not shown, for it may hold a password.
package struct HelperFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
