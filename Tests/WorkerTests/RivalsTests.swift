import Foundation
import Model
import Queue
import TestSupport
import Testing

@testable import Worker

/// Pushes to one branch while builds of it have not ended; none of them tells where the branch was before.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct RivalsTests {
    /// What became of all of them.
    private func ends(_ shop: Shop, _ builds: [Build]) async throws -> [Build] {
        try await shop.work {
            var ends: [Build] = []
            for build in builds { ends.append(try await shop.wait(for: build) { $0.state.isEnd }) }
            return ends
        }
    }

    @Test func theNewestPushIsBuilt() async throws {
        let shop = try await Shop()
        let builds = [try await shop.push("a"), try await shop.push("b"), try await shop.push("c")]
        let ends = try await ends(shop, builds)
        #expect(ends.map(\.state) == [.superseded, .superseded, .finished])
        #expect(ends.map(\.successor) == [3, 3, nil])
        #expect(ends[0].reason == "build 3 is of a newer push to main")
        #expect(try await shop.log(of: ends[0]).hasSuffix("slipway: superseded by build 3\n"))
        #expect(shop.engine.count == 1)
    }

    @Test func toldOutOfOrderTheNewestIsBuiltToo() async throws {
        let shop = try await Shop()
        let older = try shop.commit("a")
        let newer = try shop.commit("b")
        let ends = try await ends(shop, [try await shop.tell(newer), try await shop.tell(older)])
        #expect(ends.map(\.state) == [.finished, .superseded])
        #expect(ends.map(\.successor) == [nil, 1])
    }

    @Test func whereTheLineIsBrokenTheLaterCounts() async throws {
        let shop = try await Shop()
        let first = try await shop.push("a")
        try shop.git.git("commit", "-q", "--amend", "-m", "Another")
        let forced = try await shop.push("b", force: true)
        let ends = try await ends(shop, [first, forced])
        #expect(ends.map(\.state) == [.superseded, .finished])
    }

    @Test(arguments: [Cause.Kind.trigger, .api, .retry])
    func whatWasAskedForIsBuilt(kind: Cause.Kind) async throws {
        let shop = try await Shop()
        let asked = try await shop.push("a", told: kind)
        let ends = try await ends(shop, [asked, try await shop.push("b")])
        #expect(ends.map(\.state) == [.finished, .finished])
    }

    /// A commit that somebody asks for again is no push: it takes nobody's place unless it is newer.
    @Test func whatWasAskedForOffTheLineTakesNoPlace() async throws {
        let shop = try await Shop()
        let old = try shop.commit("a")
        try shop.git.git("commit", "-q", "--amend", "-m", "Another")
        let forced = try await shop.push("b", force: true)
        let ends = try await ends(shop, [forced, try await shop.tell(old, kind: .api)])
        #expect(ends.map(\.state) == [.finished, .finished])
    }

    @Test func tagsAndOtherBranchesAreBuilt() async throws {
        let shop = try await Shop()
        let builds = [
            try await shop.push("a", to: "refs/tags/v1"), try await shop.push("b", to: "refs/tags/v1", force: true),
            try await shop.push("c", to: "refs/heads/x"), try await shop.push("d", to: "refs/heads/y"),
        ]
        #expect(try await ends(shop, builds).map(\.state) == [.finished, .finished, .finished, .finished])
    }

    /// It will be skipped itself.
    @Test func aPushThatIsNotToBeBuiltTakesNoPlace() async throws {
        let shop = try await Shop()
        let builds = [try await shop.push("a"), try await shop.push("b", "Later [skip ci]")]
        #expect(try await ends(shop, builds).map(\.state) == [.finished, .cancelled])
    }

    /// And so is what a skipped push came after.
    @Test func aSkippedPushSupersedesNothing() async throws {
        let shop = try await Shop()
        let older = try shop.commit("a")
        let newer = try shop.commit("b", "Later [skip ci]")
        let builds = [try await shop.tell(newer), try await shop.tell(older)]
        #expect(try await ends(shop, builds).map(\.state) == [.cancelled, .finished])
    }

    @Test(arguments: [false, true])
    func aRunningBuildEndsWhereTheRuleSaysSo(cancels: Bool) async throws {
        let shop = try await Shop(cancelRunning: cancels, workers: 2)
        let began = Signal()
        let release = Signal()
        shop.engine.does { step, count in
            guard step == .build, count == 1 else { return }
            began.fire()
            _ = await release.wait(.seconds(60))
            try Task.checkCancellation()
        }
        let first = try await shop.push("a")
        let ends = try await shop.work {
            #expect(await began.wait())
            let second = try await shop.push("b")
            let end = try await shop.wait(for: second) { $0.state.isEnd }
            release.fire()
            return [try await shop.wait(for: first) { $0.state.isEnd }, end]
        }
        #expect(ends.map(\.state) == [cancels ? .superseded : .finished, .finished])
        #expect(ends[0].successor == (cancels ? 2 : nil))
    }
}
