import Engine
import Model
import Platform
import Queue

/// Removes the images of builds that are over from the builder's storage, and old cache.
///
/// Images are known by their names alone: one that no build of the history has is somebody else's, and stays; but for those
/// of steps that buildah took out of a cache in a registry.
package actor ImageCleaner {
    private let store: any Store
    private let engine: EngineFinder
    private let log: Log
    private let page: Int
    /// Names that were looked for in the whole history, in vain.
    private var foreign: Set<String> = []

    /// - Parameter page: how many builds are read at once.
    package init(store: any Store, engine: EngineFinder, log: Log, page: Int = 500) {
        self.store = store
        self.engine = engine
        self.log = log
        self.page = page
    }

    /// Removes as much as may go now; beside builds, only what none of them can miss.
    ///
    /// - Parameters:
    ///   - cache: the bytes that the cache of builds may take up.
    ///   - keepsNewest: whether the newest image of each rule stays, for the cache that its layers are.
    package func clean(cache: Int, keepsNewest: Bool = true) async throws {
        guard let storage = await engine.known as? any ImageStorage else { return }
        var removed = 0
        for name in try await unneeded(of: try await storage.names(), keepsNewest) {
            let running = try await builds([.building, .pushing])
            guard storage.prunesBesideBuilds || running.isEmpty else { break }
            // It may have begun since, for a commit that was built before.
            if running.contains(where: { $0.localName == name }) { continue }
            do {
                try await storage.remove(name)
                removed += 1
            } catch let error where !(error is CancellationError) {
                // As a rule a container uses it.
                log.debug("an image could not be removed", ["image": name, "error": error])
            }
        }
        if removed > 0 { log.info("images of builds that are over were removed", ["count": removed]) }
        try await storage.pruneCache(to: cache) {
            if storage.prunesBesideBuilds { return true }
            return try await self.builds([.building, .pushing]).isEmpty
        }
    }

    /// The images of ended builds, oldest first.
    private func unneeded(of names: Set<String>, _ keepsNewest: Bool) async throws -> [String] {
        // They are in the registry, and what is made of them here stays.
        let caches = names.filter(ImageName.isOfCache)
        let names = names.subtracting(caches)
        foreign.formIntersection(names)
        let needed = Set(try await builds([.pending, .building, .pushing]).compactMap(\.localName))
        var left = names
        var newest: Set<String> = []
        var found: [String] = []
        var before: Build.ID?
        repeat {
            let builds = try await store.builds(BuildQuery(before: before, limit: page))
            for build in builds {
                guard let name = build.localName, left.remove(name) != nil else { continue }
                let isNewest = newest.insert("\(build.repository) \(build.rule.number)").inserted
                if !needed.contains(name) && !(keepsNewest && isNewest) { found.append(name) }
            }
            before = builds.last?.id
            if builds.count < page { break }
        } while !left.subtracting(foreign).isEmpty
        foreign = left
        return caches.sorted() + found.reversed()
    }

    private func builds(_ states: [Build.State]) async throws -> [Build] {
        var all: [Build] = []
        var query = BuildQuery(states: states, limit: page)
        repeat {
            let builds = try await store.builds(query)
            all += builds
            query.before = builds.last?.id
            if builds.count < page { break }
        } while true
        return all
    }
}

extension Build {
    /// What the engine calls its image; nil until the commit is known.
    fileprivate var localName: String? { commitTag.map { "\(image):\($0)" } }
}
