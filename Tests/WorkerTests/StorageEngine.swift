import Engine
import Foundation
import Model
import Synchronization

/// An engine whose storage is a list of names.
final class StorageEngine: Engine, ImageStorage {
    let kind = BuilderKind.buildah
    let name = "storage"
    let prunesBesideBuilds: Bool
    private let kept: Mutex<Set<String>>
    let inUse: Set<String>
    private let budgets = Mutex<[Int]>([])
    /// What happens before each removal.
    let before: @Sendable (String) async -> Void

    init(
        _ kept: Set<String> = [], inUse: Set<String> = [], prunesBesideBuilds: Bool = true,
        before: @escaping @Sendable (String) async -> Void = { _ in }
    ) {
        self.kept = Mutex(kept)
        self.inUse = inUse
        self.prunesBesideBuilds = prunesBesideBuilds
        self.before = before
    }

    var left: Set<String> { kept.withLock(\.self) }
    /// To how many bytes the cache was pruned, each time.
    var prunings: [Int] { budgets.withLock(\.self) }

    struct InUse: Error {}

    func folder() async throws -> String? { "/engine" }
    func names() async throws -> Set<String> { left }
    func insert(_ name: String) { kept.withLock { _ = $0.insert(name) } }

    func remove(_ name: String) async throws {
        await before(name)
        if inUse.contains(name) { throw InUse() }
        kept.withLock { _ = $0.remove(name) }
    }

    func pruneCache(to bytes: Int, while isQuiet: @Sendable () async throws -> Bool) async throws {
        if try await isQuiet() { budgets.withLock { $0.append(bytes) } }
    }

    func image(_ reference: String) async -> String? { nil }
    func refresh(
        _ image: ImageReference, for build: ImageBuild, scratch: String, output: (Data) async throws -> Void
    ) async throws {}
    func build(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {}
    func push(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {}
}
