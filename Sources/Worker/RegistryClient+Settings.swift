import Foundation
import Model
import Platform
import Registry
import Settings

extension RegistryClient {
    /// A client for the registries of the settings, with the logins that `docker login` left as the second choice.
    ///
    /// - Throws: `UnreadableConfig` where there is a Docker configuration that can't be read.
    package convenience init(settings: LiveSettings, environment: [String: String], userAgent: String) throws {
        self.init(
            configuration: { host in
                settings.now.registries[host].map { RegistryConfiguration(insecure: $0.insecure, login: $0.login) }
                    ?? RegistryConfiguration()
            },
            dockerConfig: try DockerConfig.load(environment: environment) { program, arguments, input in
                try await Self.runHelper(program, arguments, input, environment)
            },
            userAgent: userAgent)
    }

    private static func runHelper(
        _ program: String, _ arguments: [String], _ input: Data, _ environment: [String: String]
    ) async throws -> DockerConfig.HelperResult {
        guard let path = ChildProcess.find(program, in: environment) else {
            throw InvalidText("\(program) is in none of the folders of PATH")
        }
        let helper = ChildProcess(path, arguments, environment: environment, input: input)
        let captured = try await helper.capture(limit: 1 << 20, timeout: .seconds(30))
        guard case .exited(let code) = captured.ending else {
            throw InvalidText("\(program) did not end by itself: \(captured.ending)")
        }
        return DockerConfig.HelperResult(exitCode: code, output: captured.stdout)
    }
}
