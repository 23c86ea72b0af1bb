import Engine
import Foundation
import Model
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Caches in registries with the real engines: what another machine built is not built again.
    @Suite(.dockerDaemon, .enabled(if: BaseImage.isAvailable, "needs the Debian package busybox-static"))
    struct RegistryCacheTests {
        private static let caching = EngineTests.available.filter { $0 != .classic }

        /// A skip where no engine is here, to be seen in the list of tests.
        @Test(.enabled(if: !caching.isEmpty, "needs docker, buildah or podman")) func anEngineIsHere() {}

        private static func build(_ shop: Workshop, _ tag: String, from former: String? = nil) throws -> ImageBuild {
            var build = shop.build(tag: tag)
            let image = try ImageReference(build.reference).image
            build.labels = ["org.opencontainers.image.revision": tag]
            build.registryCache = image.cache
            if let former { build.cacheFrom = [ImageReference(image: image, tag: try Tag(former))] }
            return build
        }

        private static func write(_ shop: Workshop, hello: String) {
            shop.write("Dockerfile", "FROM \(shop.base)\nRUN cat /proc/sys/kernel/random/uuid > /once\nCOPY hello /\n")
            shop.write("hello", hello)
        }

        @Test(.timeLimit(.minutes(6)), arguments: caching)
        func anEmptyStorageTakesLayersOutOfTheRegistry(_ builder: EngineTests.Builder) async throws {
            try await Workshop.open(builder) { shop in
                Self.write(shop, hello: "one")
                try await shop.buildAndPush(Self.build(shop, "first"))
                try await shop.emptyStorage()
                Self.write(shop, hello: "two")
                try await shop.buildAndPush(Self.build(shop, "second", from: "first"))
                let (first, second) = (try await shop.pull("first"), try await shop.pull("second"))
                #expect(first.file("once")?.isEmpty == false)
                #expect(first.file("once") == second.file("once"))
                #expect(second.file("hello") == "two")
                #expect(second.labels["org.opencontainers.image.revision"] == "second")

                // Without a cache it is another: so much for the storage being empty.
                try await shop.emptyStorage()
                try await shop.buildAndPush(shop.build(tag: "alone"))
                #expect(try await shop.pull("alone").file("once") != first.file("once"))
            }
        }

        @Test(.timeLimit(.minutes(6)), arguments: caching)
        func aBuildWithoutCacheTakesNothing(_ builder: EngineTests.Builder) async throws {
            try await Workshop.open(builder) { shop in
                Self.write(shop, hello: "one")
                try await shop.buildAndPush(Self.build(shop, "first"))
                var build = try Self.build(shop, "fresh", from: "first")
                build.cache = false
                try await shop.buildAndPush(build)
                #expect(try await shop.pull("fresh").file("once") != shop.pull("first").file("once"))
            }
        }

        /// Neither a registry that is gone nor an image that is not there makes a build fail, nor hides what does.
        @Test(.timeLimit(.minutes(6)), arguments: caching)
        func aCacheThatIsNotThereIsDoneWithout(_ builder: EngineTests.Builder) async throws {
            try await Workshop.open(builder) { shop in
                Self.write(shop, hello: "one")
                var build = try Self.build(shop, "first", from: "never")
                build.registryCache = try ImageName("127.0.0.1:1/acme/shop/cache")
                build.cacheFrom.append(try ImageReference("127.0.0.1:1/acme/shop:main"))
                let output = try await shop.buildAndPush(build)
                #expect(try await shop.pull("first").file("hello") == "one")
                if builder != .buildKit {
                    #expect(output.contains("could not be pushed to 127.0.0.1:1/acme/shop/cache"))
                }

                build.registryCache = nil
                shop.write("Dockerfile", "FROM \(shop.base)\nCOPY . /\nRUN exit 7\n")
                let wrong = build
                let failure = await #expect(throws: Failure.self) { try await shop.buildAndPush(wrong) }
                #expect(failure?.kind == .build)
                #expect(failure?.message.contains("Dockerfile line 3 (RUN exit 7): the command failed") == true)
            }
        }

        @Test(.enabled(if: EngineTests.Builder.classic.isAvailable), .timeLimit(.minutes(6)))
        func theClassicBuilderSaysThatItCant() async throws {
            try await Workshop.open(.classic) { shop in
                var rule = Rule(
                    number: 1, source: .defaultBranch, tags: [], commitTag: try Template("sha-{sha12}"),
                    registryCache: true)
                let image = try ImageName("\(shop.registry.address)/acme/shop")
                let sentence = shop.engine.uselessCaches(of: rule, image: image)
                #expect(sentence?.hasPrefix("cache: registry has no effect with docker's classic builder") == true)
                rule.registryCache = false
                #expect(shop.engine.uselessCaches(of: rule, image: image) == nil)

                Self.write(shop, hello: "one")
                try await shop.buildAndPush(Self.build(shop, "first", from: "never"))
                #expect(try await shop.pull("first").file("hello") == "one")
            }
        }
    }
}

extension Workshop {
    /// Makes the engine forget all that it built, and all base images.
    fileprivate func emptyStorage() async throws {
        switch builder {
        case .buildKit, .classic:
            try await ask("docker", "image", "prune", "--all", "--force")
            try await ask("docker", "builder", "prune", "--all", "--force")
        case .buildah: try await ask("buildah", "rmi", "--all", "--force")
        case .podman: try await ask("podman", "rmi", "--all", "--force")
        }
    }

    private func ask(_ program: String, _ arguments: String...) async throws {
        // Some dockers hand on to a plugin that is not here what they do themselves without BuildKit.
        let environment = environment.merging(["DOCKER_BUILDKIT": "0"]) { $1 }
        let captured = try await ChildProcess(program, arguments, environment: environment).capture()
        #expect(captured.ending == .exited(0), "\(String(decoding: captured.stderr, as: UTF8.self))")
    }
}
