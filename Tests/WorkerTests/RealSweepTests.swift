import Foundation
import Model
import Queue
import Registry
import Settings
import TestSupport
import Testing

@testable import Worker

/// What the sweep does about each way in which a real registry may differ.
@Suite(
    .enabled(if: GitRepository.isPossible && RegistryServer.isInstalled, "needs git and docker-registry"))
struct RealSweepTests {
    /// A registry in which `latest` went from one image to another, and a sweep of it.
    private struct Place {
        let registry: RegistryServer
        let yard: Yard
        let (old, new): (String, String)

        init(repairs: Bool = true) async throws {
            registry = try await RegistryServer.start()
            yard = try await Yard(host: registry.host, sweep: Sweep(every: nil, repairs: repairs))
            var digests: [String] = []
            for text in ["old", "new"] {
                let digest = try await registry.pushImage("acme/shop", tag: text, files: ["hello": text])
                let manifest = try await yard.tools.registry.manifest(of: yard.image, digest: Digest(digest))
                try await yard.finish(
                    "refs/heads/main", at: yard.commit(), Yard.rule(tags: "latest"), try #require(manifest))
                digests.append(digest)
            }
            (old, new) = (digests[0], digests[1])
            #expect(try await latest() == new)
        }

        func latest() async throws -> String? { try await registry.manifest("acme/shop", "latest")?.digest }

        func sweep() async { await Sweeper(tools: yard.tools).sweep() }
    }

    @Test func anotherImageIsShownAndNeverFoughtOver() async throws {
        let place = try await Place()
        let foreign = try await place.registry.pushImage("acme/shop", tag: "latest", files: ["hello": "by hand"])
        await place.sweep()
        #expect(try await place.latest() == foreign)
        let found = try #require(try await place.yard.found("latest"))
        #expect(found.digest?.text == foreign)
        // It is said once, and known since then.
        await place.sweep()
        #expect(try await place.latest() == foreign)
        #expect(try await place.yard.found("latest") == found)
        #expect(place.yard.said.count("somebody else moved a tag") == 1)

        // Yet another is another finding; and the next build moves the tag.
        let other = try await place.registry.pushImage("acme/shop", tag: "latest", files: ["hello": "again"])
        await place.sweep()
        #expect(try await place.yard.found("latest")?.digest?.text == other)
        #expect(place.yard.said.count("somebody else moved a tag") == 2)
        let digest = try await place.registry.pushImage("acme/shop", tag: "newest", files: ["hello": "newest"])
        let manifest = try await place.yard.tools.registry.manifest(of: place.yard.image, digest: Digest(digest))
        try await place.yard.finish(
            "refs/heads/main", at: place.yard.commit(), Yard.rule(tags: "latest"), try #require(manifest))
        await place.sweep()
        #expect(try await place.latest() == digest)
        #expect(try await place.yard.found("latest") == nil)
    }

    @Test func anOldImageIsPutRight() async throws {
        let place = try await Place()
        try await place.registry.move("acme/shop", tag: "latest", to: place.old)
        await place.sweep()
        #expect(try await place.latest() == place.new)
        #expect(try await place.yard.found("latest") == nil)
        #expect(place.yard.said.count("a tag was put right") == 1)
    }

    /// An attempt put it there and was lost before it could note so; then its build was given up.
    @Test func whatALostAttemptPutThereDoesNotGoBack() async throws {
        let place = try await Place()
        let yard = place.yard
        func image(_ text: String) async throws -> Manifest {
            let digest = try await place.registry.pushImage("acme/shop", tag: text, files: ["hello": text])
            return try #require(try await yard.tools.registry.manifest(of: yard.image, digest: Digest(digest)))
        }
        let rule = Yard.rule(tags: "latest")
        let (between, newest) = (try await yard.commit(), try await yard.commit())
        try await yard.accept("refs/heads/main", at: newest, rule)
        let lost = try #require(try await yard.claim().first)
        let manifest = try await image("newest")
        _ = try await yard.pushed(lost, manifest)
        try await place.registry.move("acme/shop", tag: "latest", to: manifest.digest.text)
        _ = try await yard.store.rescue(all: true, tries: 9)
        _ = try await yard.store.cancel(lost.id, reason: "given up")

        let late = try await yard.finish("refs/heads/main", at: between, rule, image("between"))
        #expect(late.tags.first?.reason?.contains("it is at build \(lost.id)") == true, "\(late)")
        #expect(try await place.latest() == manifest.digest.text)
        await place.sweep()
        #expect(try await place.latest() == manifest.digest.text)
        #expect(try await yard.holder("latest")?.build == lost.id)
        #expect(yard.said.count("a tag is at a newer build than was noted") == 1)
    }

    @Test func aTagThatIsGoneComesBack() async throws {
        let place = try await Place()
        try place.registry.removeTag("acme/shop", "latest")
        #expect(try await place.latest() == nil)
        await place.sweep()
        #expect(try await place.latest() == place.new)
    }

    @Test func whereTheSettingsSayNothingIsChanged() async throws {
        let place = try await Place(repairs: false)
        try await place.registry.move("acme/shop", tag: "latest", to: place.old)
        await place.sweep()
        #expect(try await place.latest() == place.old)
        #expect(try await place.yard.found("latest")?.digest?.text == place.old)
        #expect(place.yard.said.count("the settings say only to report it") == 1)
        try place.registry.removeTag("acme/shop", "latest")
        await place.sweep()
        #expect(try await place.latest() == nil)
        let found = try #require(try await place.yard.found("latest"))
        #expect(found.digest == nil)
        // Put right by hand, it is forgotten.
        try await place.registry.move("acme/shop", tag: "latest", to: place.new)
        await place.sweep()
        #expect(try await place.yard.found("latest") == nil)
    }

    @Test func aManifestThatIsGoneIsReported() async throws {
        let place = try await Place()
        try await place.registry.removeManifest("acme/shop", tag: "latest")
        await place.sweep()
        #expect(try await place.latest() == nil)
        let found = try #require(try await place.yard.found("latest"))
        #expect(found.digest == nil)
        #expect(place.yard.said.count("the registry lost its manifest") == 1)
    }
}
