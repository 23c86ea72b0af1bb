import Engine
import Model

extension Attempt {
    /// Names the places beside the engine's own storage where it finds what was built before. None of them makes a build
    /// fail: what can't be used is told in the log.
    func setCaches(of image: inout ImageBuild, _ names: Rule.Names) async throws {
        let rule = build.rule
        if let sentence = engine.uselessCaches(of: rule, image: build.image) { try await output.say(sentence) }
        if rule.registryCache {
            image.registryCache = build.image.cache
            if image.registryCache == nil {
                try await output.say(
                    "no cache is kept in the registry: \(build.image) is too long for a name beside it")
            }
            // Where the cache is in the images, the last that got these names is the nearest.
            image.cacheFrom = names.tags.map { ImageReference(image: build.image, tag: $0) }
        }
        do throws(InvalidText) {
            for text in rule.cacheFrom { image.cacheFrom.append(try ImageReference(text)) }
        } catch {
            throw Failure(.build, .build, "cache_from: \(error)")
        }
    }
}
