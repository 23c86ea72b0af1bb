import Model

extension DockerEngine {
    /// BuildKit's cache lies in the images themselves ("Inline cache", docs.docker.com/build/cache/backends/inline): the
    /// one kind that it writes with every docker, and that is pushed with the image.
    func caches(of build: ImageBuild) -> [String] {
        guard buildKit else { return [] }
        let inline = build.registryCache == nil ? [] : ["--build-arg", "BUILDKIT_INLINE_CACHE=1"]
        guard build.cache else { return inline }
        return inline + build.cacheFrom.flatMap { ["--cache-from", $0.text] }
    }

    func uselessCaches(of rule: Rule, image: ImageName) -> String? {
        guard !buildKit, rule.registryCache || !rule.cacheFrom.isEmpty else { return nil }
        return """
            \(rule.registryCache ? "cache: registry" : "cache_from") has no effect with docker's classic builder, which has \
            no cache but its own; BuildKit, buildah and podman have
            """
    }
}
