import Foundation
import Model
import Platform
import Queue
import Settings
import TestSupport
import Testing

@testable import Intake

/// What is built again when an image that a build stands on moved: what the settings say now.
@Suite struct RebuildTests {
    private static let detail = "base image debian:1 moved from sha256:000000000000 to sha256:111111111111"
    private let folder: TemporaryDirectory
    private let store: DatabaseStore
    private let time = ManualTime()
    private let settings: LiveSettings
    private let receiver: Receiver

    init() async throws {
        folder = try TemporaryDirectory()
        store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: time)
        let rules = try [PollFixture.rule(1, .branch("main")), PollFixture.rule(2, .branch("/.*/"))]
        settings = LiveSettings(
            Settings(repositories: [
                Repository(
                    name: try RepositoryName("acme/shop"), source: try GitSource("/srv/shop.git"),
                    image: try ImageName("localhost:5000/acme/shop"), rules: rules)
            ]))
        receiver = Receiver(settings: settings, store: store) { _ in "trunk" }
    }

    /// A finished build of a push to main, by the first rule.
    private func built(message: String = "A push") async throws -> Build {
        let repository = try #require(settings.now.repositories.first)
        let push = Push(
            ref: try RefName("refs/heads/main"), commit: try CommitID(String(repeating: "a", count: 40)),
            message: message, author: "Ada")
        var matching = Matching()
        matching.add(push, of: repository, asked: true, only: [1], acceptedAt: time.now)
        let delivery = NewDelivery(
            repository: repository.name, kind: .webhook, remoteAddress: "", receivedAt: time.now,
            builds: matching.builds)
        let build = try #require(try await store.accept(delivery).builds.first)
        let hold = try #require(try await store.claim(limit: 1, worker: "w", lease: .seconds(60)).first?.hold)
        try await store.startPushing(hold, commitTag: Tag("one"))
        try await store.pushed(hold, digest: Digest("sha256:" + String(repeating: "0", count: 64)))
        try await store.finish(hold)
        return try #require(try await store.build(build.id))
    }

    private func rebuild(_ build: Build, _ detail: String = detail) async throws -> Build? {
        try await receiver.rebuild(build, because: detail, at: time.now)
    }

    private func change(_ change: (inout Settings) throws -> Void) rethrows {
        var changed = settings.now
        try change(&changed)
        _ = settings.change(to: changed)
    }

    @Test func theSameIsBuiltAgainByOneRule() async throws {
        let former = try await built()
        change { $0.repositories[0].rules[0].buildArgs = ["NEW": "1"] }
        let build = try #require(try await rebuild(former))
        #expect(build.commit == former.commit && build.ref == former.ref && build.image == former.image)
        #expect(build.message == former.message && build.author == former.author)
        #expect(build.rule.number == 1 && build.rule.buildArgs == ["NEW": "1"])
        #expect(build.cause.kind == .base && build.cause.detail == Self.detail)
        let delivery = try #require(try await store.delivery(build.cause.delivery ?? ""))
        #expect(delivery.kind == .base && delivery.built.map(\.build) == [build.id])
        #expect(try await store.builds(BuildQuery()).count == 2)
    }

    @Test func theSameMoveIsFollowedOnceAndLeavesNoTrace() async throws {
        let former = try await built()
        #expect(try await rebuild(former) != nil)
        #expect(try await rebuild(former) == nil)
        let hold = try #require(try await store.claim(limit: 1, worker: "w", lease: .seconds(60)).first?.hold)
        try await store.fail(hold, Failure(.build, .build, "no such file"))
        #expect(try await rebuild(former) == nil)
        #expect(try await store.deliveries(DeliveryQuery(kinds: [.base])).count == 1)
        #expect(try await rebuild(former, "base image debian:1 moved elsewhere") != nil)
    }

    @Test(arguments: [
        "off", "another ref", "another image", "gone", "autobuild", "another default branch", "no repository",
    ])
    func whatTheSettingsNoLongerWant(_ change: String) async throws {
        let former = try await built()
        try self.change { settings in
            switch change {
            case "off": settings.repositories[0].rules[0].followsBase = false
            case "another ref": settings.repositories[0].rules[0].source = .branch(try Pattern("trunk"))
            case "another image": settings.repositories[0].image = try ImageName("localhost:5000/acme/other")
            case "gone": settings.repositories[0].rules.removeFirst()
            case "autobuild": settings.repositories[0].rules[0].autobuild = false
            case "another default branch": settings.repositories[0].rules[0].source = .defaultBranch
            default: settings.repositories = []
            }
        }
        #expect(try await rebuild(former) == nil)
        #expect(try await store.builds(BuildQuery()).count == 1)
        #expect(try await store.deliveries(DeliveryQuery()).count == 1)
    }

    /// They are about the push, not about what it stands on.
    @Test func wordsThatSkipAPushSkipNoMove() async throws {
        let former = try await built(message: "Mend the text [skip ci]")
        #expect(try await rebuild(former) != nil)
    }

    @Test func thereMustBeRoom() async throws {
        let former = try await built()
        change { $0.limits.pending = 0 }
        await #expect(throws: QueueFull.self) { try await rebuild(former) }
    }
}
