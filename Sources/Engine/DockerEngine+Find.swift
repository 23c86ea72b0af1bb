import Foundation
import Platform

extension DockerEngine {
    /// Looks at every docker of PATH, for the first that has BuildKit, else the first whose daemon answers.
    ///
    /// - Throws: `Unusable`.
    static func find(_ environment: BuilderEnvironment) async throws -> DockerEngine {
        let programs = ChildProcess.findAll("docker", in: environment.variables)
        if programs.isEmpty {
            throw Unusable(reason: "there is no docker in PATH; on Debian: apt-get install docker.io")
        }
        var reasons: [String] = []
        var classic: DockerEngine?
        for program in programs {
            do {
                let engine = try await look(at: program, environment)
                if engine.buildKit { return engine }
                classic = classic ?? engine
            } catch let unusable as Unusable {
                reasons.append(unusable.reason)
            }
        }
        if let classic { return classic }
        throw Unusable(
            reason: reasons.joined(separator: "; ") + "; is the daemon running, and may this user speak to it?")
    }

    private static func look(at program: String, _ environment: BuilderEnvironment) async throws -> DockerEngine {
        let answer = try await environment.ask(program, ["version", "--format", "{{json .}}"])
        guard let versions = try? JSONDecoder().decode(DockerVersions.self, from: Data(answer.utf8)) else {
            throw Unusable(reason: "\(program) is not Docker's: it describes its version in another way")
        }
        guard let server = versions.server else {
            throw Unusable(reason: "\(program) reaches no daemon")
        }
        var buildKit = versions.haveBuildKit && environment["DOCKER_BUILDKIT"] != "0"
        if buildKit && versions.needsPlugin {
            do {
                _ = try await environment.ask(program, ["buildx", "version"])
            } catch is Unusable {
                buildKit = false
            }
        }
        return DockerEngine(
            program: program, environment: environment, buildKit: buildKit, version: versions.client.version,
            architecture: server.architecture,
            host: try await contextHost(program, environment))
    }

    /// The address that a context names. Contexts live in the configuration folder, which builds don't get.
    private static func contextHost(_ program: String, _ environment: BuilderEnvironment) async throws -> String? {
        if environment["DOCKER_HOST"] != nil { return nil }
        do {
            let answer = try await environment.ask(
                program, ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
            let host = answer.trimmingCharacters(in: .whitespacesAndNewlines)
            return host.isEmpty ? nil : host
        } catch is Unusable {
            // A docker without contexts has nothing else than its default address.
            return nil
        }
    }
}
