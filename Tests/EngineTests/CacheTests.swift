import Foundation
import Model
import Platform
import Testing

@testable import Engine

/// Which options the engines get for caches in registries.
@Suite struct CacheTests {
    @Test(arguments: [
        ("r.test/acme/shop", "r.test/acme/shop/cache"), ("localhost:5000/a", "localhost:5000/a/cache"),
        // Docker Hub's names have two parts.
        ("acme/shop", "docker.io/acme/shop-cache"),
        (String(repeating: "a", count: 240), nil),
    ])
    func theCacheLiesBesideTheImage(_ image: String, _ cache: String?) throws {
        #expect(try ImageName(image).cache?.text == cache)
    }

    @Test(arguments: [
        // buildah 1.28 and podman 4.3
        ("      --cache-from string    remote\n      --cache-to string   remote", RemoteCache.one),
        // buildah 1.29 and podman 4.4
        ("      --cache-from stringArray    remote\n      --cache-to stringArray   remote", .many),
        // Before.
        ("      --cache-from strings   Images to utilise", RemoteCache.none), ("", .none),
    ])
    func whatTheHelpTells(_ help: String, _ cache: RemoteCache) {
        #expect(RemoteCache(help: help) == cache)
    }

    private static func build(registry: Bool, from images: [String], cache: Bool = true) throws -> ImageBuild {
        ImageBuild(
            workspace: "/w", dockerfile: "/w/Dockerfile", context: "/w", reference: "r.test/a:1", cache: cache,
            registryCache: registry ? try ImageName("r.test/a").cache : nil,
            cacheFrom: try images.map { try ImageReference($0) })
    }

    private static func rule(registry: Bool, from images: [String]) throws -> Rule {
        Rule(
            number: 1, source: .defaultBranch, tags: [], commitTag: try Template("sha-{sha12}"),
            registryCache: registry, cacheFrom: images)
    }

    private static func buildah(_ cache: RemoteCache) -> BuildahEngine {
        BuildahEngine(
            builder: .buildah, program: "/usr/bin/buildah", environment: BuilderEnvironment([:]), version: "1.28.2",
            isolation: .chroot, remoteCache: cache)
    }

    private static func docker(buildKit: Bool) -> DockerEngine {
        DockerEngine(
            program: "/usr/bin/docker", environment: BuilderEnvironment([:]), buildKit: buildKit, version: "20.10",
            architecture: "amd64", host: nil)
    }

    @Test func buildahTakesEachPlaceOnceAndItsOwnFirst() throws {
        let build = try Self.build(registry: true, from: ["r.test/a:latest", "r.test/b:main"])
        let to = ["--cache-to", "r.test/a/cache"]
        let from = ["--cache-from", "r.test/a/cache"]
        #expect(Self.buildah(.many).caches(of: build) == to + from + ["--cache-from", "r.test/b/cache"])
        #expect(Self.buildah(.one).caches(of: build) == to + from)
        #expect(Self.buildah(.none).caches(of: build) == [])
        #expect(
            try Self.buildah(.one).caches(of: Self.build(registry: false, from: ["b:1"])) == [
                "--cache-from", "docker.io/library/b-cache",
            ])
    }

    @Test func nothingIsTakenOrKeptWithoutCache() throws {
        let build = try Self.build(registry: true, from: ["r.test/a:latest"], cache: false)
        #expect(Self.buildah(.many).caches(of: build) == [])
        #expect(Self.docker(buildKit: true).caches(of: build) == ["--build-arg", "BUILDKIT_INLINE_CACHE=1"])
    }

    @Test func buildKitKeepsItInTheImage() throws {
        let both = try Self.build(registry: true, from: ["r.test/a:latest", "r.test/b"])
        #expect(
            Self.docker(buildKit: true).caches(of: both) == [
                "--build-arg", "BUILDKIT_INLINE_CACHE=1", "--cache-from", "r.test/a:latest", "--cache-from", "r.test/b",
            ])
        #expect(Self.docker(buildKit: false).caches(of: both) == [])
        #expect(try Self.docker(buildKit: true).caches(of: Self.build(registry: false, from: [])) == [])
    }

    @Test func whatCannotBeUsedIsSaid() throws {
        let image = try ImageName("r.test/a")
        let plain = try Self.rule(registry: false, from: [])
        let registry = try Self.rule(registry: true, from: [])
        let more = try Self.rule(registry: true, from: ["r.test/a:main", "r.test/b:main"])
        for engine: any Engine in [Self.docker(buildKit: false), Self.buildah(.none), Self.buildah(.one)] {
            #expect(engine.uselessCaches(of: plain, image: image) == nil)
        }
        for engine: any Engine in [Self.docker(buildKit: true), Self.buildah(.many)] {
            #expect(engine.uselessCaches(of: more, image: image) == nil)
        }
        #expect(Self.buildah(.one).uselessCaches(of: registry, image: image) == nil)
        #expect(
            Self.buildah(.one).uselessCaches(of: more, image: image)?.contains("r.test/b/cache is not used") == true)
        #expect(
            Self.buildah(.none).uselessCaches(of: registry, image: image)?.contains("cache: registry has no effect")
                == true)
        #expect(
            Self.docker(buildKit: false).uselessCaches(
                of: try Self.rule(registry: false, from: ["r.test/b"]), image: image)?.hasPrefix("cache_from has no")
                == true)
    }

    @Test func onlyARefusedCacheIsBuiltWithoutAgain() async throws {
        let build = try Self.build(registry: true, from: ["r.test/a:latest"])
        var tried: [ImageName?] = []
        var said = Data()
        let refused = Failure(.system, .build, "buildah could not build: failed pushing cache to {{{r.test}}}: denied")
        try await Self.buildah(.one).withoutCacheIfRefused(build, { said += $0 }) { build in
            tried.append(build.registryCache)
            if build.registryCache != nil { throw refused }
        }
        #expect(tried == [build.registryCache, nil])
        #expect(
            String(decoding: said, as: UTF8.self)
                == "the cache could not be pushed to r.test/a/cache, so this build goes on without it\n")
        tried = []
        let wrong = Failure(.build, .build, "Dockerfile line 2: the command failed")
        await #expect(throws: wrong) {
            try await Self.buildah(.one).withoutCacheIfRefused(build, { _ in }) { build in
                tried.append(build.registryCache)
                throw wrong
            }
        }
        #expect(tried.count == 1)
    }
}
