import Foundation
import Platform

extension BuildahEngine: ImageStorage {
    /// A layer may go between the moment in which a build finds it in the cache and that in which it mounts it.
    var prunesBesideBuilds: Bool { false }

    func folder() async throws -> String? {
        try await place().root
    }

    func names() async throws -> Set<String> {
        try await contents().names
    }

    func remove(_ name: String) async throws {
        _ = try await environment.ask(program, ["rmi", name], timeout: .seconds(120))
    }

    /// The cache is the images that builds made of single steps, whoever built; they go with what is made of them alone.
    func pruneCache(to bytes: Int, while isQuiet: @Sendable () async throws -> Bool) async throws {
        var contents = try await contents()
        var removed = true
        // Again after each round that got on: a step goes once nothing is made of it any more.
        while removed {
            removed = false
            for step in contents.steps {
                guard contents.cacheSize > bytes, try await isQuiet() else { return }
                guard contents.steps.contains(step) else { continue }
                do {
                    _ = try await environment.ask(program, ["rmi", step], timeout: .seconds(120))
                } catch is Unusable {
                    continue
                }
                removed = true
                contents = try await self.contents()
            }
        }
    }

    private func contents() async throws -> StorageContents {
        let (root, driver) = try await place()
        return try StorageContents(root: root, driver: driver)
    }

    private func place() async throws -> (root: String, driver: String) {
        let store = builder == .buildah ? ".store" : ".Store"
        let format = "{{\(store).GraphRoot}}\n{{\(store).GraphDriverName}}"
        let lines = try await environment.ask(program, ["info", "--format", format]).split(separator: "\n")
        guard lines.count == 2 else { throw Unusable(reason: "\(builder.rawValue) does not tell where its storage is") }
        return (String(lines[0]), String(lines[1]))
    }
}
