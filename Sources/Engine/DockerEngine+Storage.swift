import Foundation
import Model

extension DockerEngine: ImageStorage {
    /// BuildKit holds on to what a running build needs; the classic builder does not.
    var prunesBesideBuilds: Bool { buildKit }

    func folder() async throws -> String? {
        // Over any other transport the path is one of another machine.
        guard (host ?? environment["DOCKER_HOST"] ?? "unix:").hasPrefix("unix:") else { return nil }
        let answer = try await environment.ask(program, ["info", "--format", "{{.DockerRootDir}}"])
        let folder = answer.trimmingCharacters(in: .whitespacesAndNewlines)
        // A daemon in a virtual machine has a socket here, but not its folder.
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }

    func names() async throws -> Set<String> {
        let list = try await environment.ask(program, ["images", "--format", "{{.Repository}}\t{{.Tag}}"])
        // Docker leaves out its own registry; in a build's name it stands.
        return list.split(separator: "\n").reduce(into: []) { names, line in
            let words = line.split(separator: "\t").map(String.init)
            guard words.count == 2, let image = try? ImageName(words[0]) else { return }
            names.insert("\(image):\(words[1])")
        }
    }

    func remove(_ name: String) async throws {
        _ = try await environment.ask(program, ["rmi", name], timeout: .seconds(120))
    }

    /// BuildKit's cache is the daemon's, whoever filled it. The classic builder's goes with the images made of it.
    func pruneCache(to bytes: Int, while isQuiet: @Sendable () async throws -> Bool) async throws {
        guard buildKit, try await isQuiet() else { return }
        _ = try await environment.ask(
            program, ["builder", "prune", "--force", "--keep-storage", "\(bytes)"], timeout: .seconds(600))
    }
}
