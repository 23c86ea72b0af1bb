import Model
import Queue
import Testing

@testable import Worker

@Suite struct ImageCleanerTests {
    @Test func imagesOfEndedBuildsGoButTheNewestOfEachRule() async throws {
        let cellar = try await Cellar()
        for number in 1...5 {
            try await cellar.push(number)
            try await cellar.end()
        }
        try await cellar.push(6, rule: 2)
        try await cellar.end()
        let foreign: Set = ["registry.example.com/acme/shop:latest", "docker.io/library/busybox:1"]
        // The newest build failed before it had an image.
        let engine = StorageEngine(
            foreign.union([try cellar.name(1), try cellar.name(2), try cellar.name(4), try cellar.name(6, rule: 2)]),
            inUse: [try cellar.name(2)])
        let cleaner = try await cellar.cleaner(engine)
        try await cleaner.clean(cache: 7)
        let kept: Set = [try cellar.name(2), try cellar.name(4), try cellar.name(6, rule: 2)]
        #expect(engine.left == foreign.union(kept))
        #expect(engine.prunings == [7])
        // Where room is short none is spared, but what others need.
        try await cleaner.clean(cache: 0, keepsNewest: false)
        #expect(engine.left == foreign.union([try cellar.name(2)]))
        // What was in nobody's history at first is known once it is built.
        engine.insert("registry.example.com/acme/shop:sha-000000000007-1")
        try await cleaner.clean(cache: 0, keepsNewest: false)
        try await cellar.push(7)
        try await cellar.end()
        try await cleaner.clean(cache: 0, keepsNewest: false)
        #expect(engine.left == foreign.union([try cellar.name(2)]))
    }

    /// What is made of them keeps their layers; anything else under such a name is somebody's image.
    @Test func stepsOutOfARegistrysCacheLoseTheirNames() async throws {
        let step = String(repeating: "5e", count: 32)
        let foreign: Set = [
            "registry.example.com/acme/cache:latest", "registry.example.com/acme/shop:\(step)",
            "registry.example.com/acme/shop/cache:\(step.dropLast())",
        ]
        let engine = StorageEngine(
            foreign.union(["registry.example.com/acme/shop/cache:\(step)", "docker.io/acme/shop-cache:\(step)"]))
        let cellar = try await Cellar()
        try await cellar.cleaner(engine).clean(cache: 0)
        #expect(engine.left == foreign)
    }

    /// The image is pushed by the next attempt, or by another build of the same commit.
    @Test func whatABuildStillNeedsStays() async throws {
        let cellar = try await Cellar()
        try await cellar.push(1)
        let built = try await cellar.claim()
        try await cellar.store.startPushing(
            built.hold, commitTag: try #require(built.commitTag), built: "sha256:1")
        try await cellar.store.retry(built.hold, Failure(.system, .push, "no registry"), after: .seconds(60))
        try await cellar.push(2)
        try await cellar.end()
        try await cellar.push(2, force: true)
        let names: Set = [try cellar.name(1), try cellar.name(2)]
        let engine = StorageEngine(names)
        try await cellar.cleaner(engine).clean(cache: 0, keepsNewest: false)
        #expect(engine.left == names)
    }

    @Test func whatBeganMeanwhileStays() async throws {
        let cellar = try await Cellar()
        for number in 1...3 {
            try await cellar.push(number)
            try await cellar.end()
        }
        // While the first is removed, the second is built again.
        let engine = StorageEngine([try cellar.name(1), try cellar.name(2), try cellar.name(3)]) { _ in
            do {
                try await cellar.push(2, force: true)
                _ = try await cellar.claim()
            } catch {
                Issue.record(error)
            }
        }
        try await cellar.cleaner(engine).clean(cache: 0)
        #expect(engine.left == [try cellar.name(2), try cellar.name(3)])
    }

    /// Buildah's layers would go under a running build.
    @Test func nothingGoesBesideABuildThatCouldMissIt() async throws {
        let cellar = try await Cellar()
        for number in 1...2 {
            try await cellar.push(number)
            try await cellar.end()
        }
        try await cellar.push(3)
        let running = try await cellar.claim()
        let engine = StorageEngine([try cellar.name(1), try cellar.name(2)], prunesBesideBuilds: false)
        let cleaner = try await cellar.cleaner(engine)
        try await cleaner.clean(cache: 0)
        #expect(engine.left.count == 2)
        #expect(engine.prunings == [])
        try await cellar.store.fail(running.hold, Failure(.build, .build, "it failed"))
        try await cleaner.clean(cache: 0)
        #expect(engine.left == [try cellar.name(2)])
        #expect(engine.prunings == [0])
    }
}
