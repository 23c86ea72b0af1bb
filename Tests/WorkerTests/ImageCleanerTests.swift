import Model
import Queue
import Testing

@testable import Worker

@Suite struct ImageCleanerTests {
    @Test func imagesOfEndedBuildsGoButTheNewestOfEachRule() async throws {
        let yard = try await Yard()
        for number in 1...5 {
            try await yard.push(number)
            try await yard.end()
        }
        try await yard.push(6, rule: 2)
        try await yard.end()
        let foreign: Set = ["registry.example.com/acme/shop:latest", "docker.io/library/busybox:1"]
        // The newest build failed before it had an image.
        let engine = StorageEngine(
            foreign.union([try yard.name(1), try yard.name(2), try yard.name(4), try yard.name(6, rule: 2)]),
            inUse: [try yard.name(2)])
        let cleaner = try await yard.cleaner(engine)
        try await cleaner.clean(cache: 7)
        let kept: Set = [try yard.name(2), try yard.name(4), try yard.name(6, rule: 2)]
        #expect(engine.left == foreign.union(kept))
        #expect(engine.prunings == [7])
        // Where room is short none is spared, but what others need.
        try await cleaner.clean(cache: 0, keepsNewest: false)
        #expect(engine.left == foreign.union([try yard.name(2)]))
        // What was in nobody's history at first is known once it is built.
        engine.insert("registry.example.com/acme/shop:sha-000000000007-1")
        try await cleaner.clean(cache: 0, keepsNewest: false)
        try await yard.push(7)
        try await yard.end()
        try await cleaner.clean(cache: 0, keepsNewest: false)
        #expect(engine.left == foreign.union([try yard.name(2)]))
    }

    /// The image is pushed by the next attempt, or by another build of the same commit.
    @Test func whatABuildStillNeedsStays() async throws {
        let yard = try await Yard()
        try await yard.push(1)
        let built = try await yard.claim()
        try await yard.store.built(built.hold, image: "sha256:1")
        try await yard.store.retry(built.hold, Failure(.system, .push, "no registry"), after: .seconds(60))
        try await yard.push(2)
        try await yard.end()
        try await yard.push(2, force: true)
        let names: Set = [try yard.name(1), try yard.name(2)]
        let engine = StorageEngine(names)
        try await yard.cleaner(engine).clean(cache: 0, keepsNewest: false)
        #expect(engine.left == names)
    }

    @Test func whatBeganMeanwhileStays() async throws {
        let yard = try await Yard()
        for number in 1...3 {
            try await yard.push(number)
            try await yard.end()
        }
        // While the first is removed, the second is built again.
        let engine = StorageEngine([try yard.name(1), try yard.name(2), try yard.name(3)]) { _ in
            do {
                try await yard.push(2, force: true)
                _ = try await yard.claim()
            } catch {
                Issue.record(error)
            }
        }
        try await yard.cleaner(engine).clean(cache: 0)
        #expect(engine.left == [try yard.name(2), try yard.name(3)])
    }

    /// Buildah's layers would go under a running build.
    @Test func nothingGoesBesideABuildThatCouldMissIt() async throws {
        let yard = try await Yard()
        for number in 1...2 {
            try await yard.push(number)
            try await yard.end()
        }
        try await yard.push(3)
        let running = try await yard.claim()
        let engine = StorageEngine([try yard.name(1), try yard.name(2)], prunesBesideBuilds: false)
        let cleaner = try await yard.cleaner(engine)
        try await cleaner.clean(cache: 0)
        #expect(engine.left.count == 2)
        #expect(engine.prunings == [])
        try await yard.store.fail(running.hold, Failure(.build, .build, "it failed"))
        try await cleaner.clean(cache: 0)
        #expect(engine.left == [try yard.name(2)])
        #expect(engine.prunings == [0])
    }
}
