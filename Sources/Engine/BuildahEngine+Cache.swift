import Foundation
import Model

/// What buildah and podman can do with caches in registries.
enum RemoteCache {
    case none
    /// Several may be named, and the last is used: from 1.28 on.
    case one
    case many

    /// - Parameter help: what the build command says of its options.
    init(help: String) {
        guard help.contains("--cache-to"), let from = help.firstMatch(of: /--cache-from (\w+)/) else {
            self = .none
            return
        }
        self = from.1 == "string" ? .one : .many
    }
}

extension BuildahEngine {
    func caches(of build: ImageBuild) -> [String] {
        guard build.cache else { return [] }
        let places = Self.places(build.registryCache, build.cacheFrom)
        let to = build.registryCache.map { ["--cache-to", $0.text] } ?? []
        switch remoteCache {
        case .none: return []
        case .one: return to + places.prefix(1).flatMap { ["--cache-from", $0.text] }
        case .many: return to + places.flatMap { ["--cache-from", $0.text] }
        }
    }

    /// Each once: the cache of its own first, then those beside the images.
    private static func places(_ own: ImageName?, _ images: [ImageReference]) -> [ImageName] {
        var places: [ImageName] = []
        for place in [own] + images.map(\.image.cache) {
            if let place, !places.contains(place) { places.append(place) }
        }
        return places
    }

    func uselessCaches(of rule: Rule, image: ImageName) -> String? {
        let own = rule.registryCache ? image.cache : nil
        let places = Self.places(own, rule.cacheFrom.compactMap { try? ImageReference($0) })
        guard !places.isEmpty else { return nil }
        switch remoteCache {
        case .none:
            return "\(rule.registryCache ? "cache: registry" : "cache_from") has no effect with \(name); "
                + "buildah from 1.28 and podman from 4.3 have caches in registries"
        case .one where places.count > 1:
            let others = places.dropFirst().map(\.text).joined(separator: ", ")
            return
                "\(name), takes its cache from one place, \(places[0]), so \(others) is not used; newer ones take several"
        case .one, .many: return nil
        }
    }

    /// Builds once more without a cache in the registry where that is all that was wrong: what was built so far lies in
    /// the builder's own.
    func withoutCacheIfRefused(
        _ build: ImageBuild, _ output: (Data) async throws -> Void, _ run: (ImageBuild) async throws -> Void
    ) async throws {
        do {
            try await run(build)
        } catch let failure as Failure {
            guard let cache = build.registryCache, failure.message.contains("failed pushing cache to") else {
                throw failure
            }
            let sentence = "the cache could not be pushed to \(cache), so this build goes on without it\n"
            try await output(Data(sentence.utf8))
            var build = build
            build.registryCache = nil
            build.cacheFrom = []
            try await run(build)
        }
    }
}
