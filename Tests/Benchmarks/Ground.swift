import Foundation
import Platform
import TestSupport

/// What all measurements stand on: a registry with a base image, a dockerd, a folder; gone at the end.
struct Ground: Sendable {
    let daemon: DockerDaemon?
    let registry: RegistryServer
    let base: String
    private(set) var folder: Folder
    var showsPhases = false

    /// A folder in which builders may leave file systems mounted.
    final class Folder: Sendable {
        let path: String

        init(in place: String = FileManager.default.temporaryDirectory.path) throws {
            path = "\(place)/slipway-bench-\(Crypto.randomBytes(4).hex)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit { Mounts.remove(path) }

        /// A new folder within.
        func room(_ name: String) throws -> String {
            let path = "\(path)/\(name)-\(Crypto.randomBytes(3).hex)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            return path
        }
    }

    init(daemon: DockerDaemon?) async throws {
        self.daemon = daemon
        registry = try await RegistryServer.start()
        base = try await BaseImage.push(to: registry.host).reference
        folder = try Folder()
    }

    /// Asks the registry itself whether a tag is where a build said that it put it.
    ///
    /// - Throws: `SlipwayRun.Failed` where it is not.
    func expect(_ image: String, tag: String, at build: Service.BuildView) async throws {
        let found = try await registry.manifest(image, tag)?.digest
        guard let found, found == build.digest else {
            throw SlipwayRun.Failed(
                description: "\(image):\(tag) is at \(found ?? "nothing"), not at \(build.digest ?? "no digest")")
        }
    }

    /// The same with another folder, in memory where the machine has room for it there: a file system that has just lost
    /// thousands of files may take long to make new ones.
    func inMemory() throws -> Ground {
        let place = "/dev/shm"
        guard let room = try? FreeSpace.bytes(at: place), room > 6 << 30 else { return self }
        var ground = self
        ground.folder = try Folder(in: place)
        return ground
    }

    /// A new folder within its own.
    func room(_ name: String) throws -> String { try folder.room(name) }
}
