import Foundation
import Model
import Queue
import TestSupport
import Testing

/// An attempt that was lost between the push of its image and the end of its build.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct LostAttemptTests {
    /// Takes a build to its end, after a first attempt that went as far as to push, or not even there.
    private func run(_ message: String = "A change", pushed: Bool) async throws -> (Build, builds: Int) {
        let shop = try await Shop()
        let build = try await shop.push("a", message)
        let lost = try #require(try await shop.store.claim(limit: 1, worker: "lost", lease: .seconds(60)).first)
        if pushed { try await shop.store.startPushing(lost.hold, commitTag: try #require(build.commitTag)) }
        _ = try await shop.store.rescue(all: true, tries: 9)
        return (try await shop.end(of: build), shop.engine.count)
    }

    @Test func whatItPushedIsNotBuiltAgain() async throws {
        let (build, builds) = try await run(pushed: true)
        #expect(build.state == .finished, "\(build)")
        #expect(build.attempt == 2)
        #expect(builds == 0)
        #expect(build.tags.map(\.moved) == [true])
    }

    /// What lies under the tag is nobody's business where this build has never begun to push.
    @Test func whatItDidNotPushIsBuilt() async throws {
        let (build, builds) = try await run(pushed: false)
        #expect(build.state == .finished, "\(build)")
        #expect(build.attempt == 2)
        #expect(builds == 1)
    }

    /// Its tags may point at the image already.
    @Test func whatItPushedIsNotSkipped() async throws {
        #expect(try await run("Fix [skip ci]", pushed: true).0.state == .finished)
        #expect(try await run("Fix [skip ci]", pushed: false).0.state == .cancelled)
    }
}
