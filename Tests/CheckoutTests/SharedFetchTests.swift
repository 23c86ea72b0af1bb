import Foundation
import Model
import TestSupport
import Testing

@testable import Checkout

/// How often a Git host is talked to.
@Suite(.enabled(if: GitRepository.isPossible && GitDaemon.isPossible, "needs git and git-daemon"))
struct SharedFetchTests {
    private struct Host {
        let fixture: Fixture
        let mirror: Mirror
        let daemon: GitDaemon
        let proxy: TCPProxy
        let first: CommitID

        init() async throws {
            fixture = try await Fixture()
            first = try CommitID(await fixture.repository.commit("First", ["a": "1"]))
            daemon = try await GitDaemon.start(root: fixture.directory.path)
            proxy = try TCPProxy(to: daemon.port)
            mirror = try fixture.mirror("git://127.0.0.1:\(proxy.port)/source")
        }

        func stop() {
            proxy.stop()
            daemon.stop()
        }
    }

    @Test func buildsOfOnePushShareOneConversation() async throws {
        let host = try await Host()
        defer { host.stop() }
        try await withThrowingTaskGroup(of: CommitID.self) { group in
            for _ in 0..<8 {
                group.addTask { try await host.mirror.fetch(RefName("refs/heads/main"), commit: host.first).id }
            }
            for try await id in group { #expect(id == host.first) }
        }
        #expect(host.proxy.connections == 1)
    }

    /// Builds for a branch as it is now, which tell no commit.
    @Test func whoWaitedWhileTheHostWasAskedTakesItsAnswer() async throws {
        let host = try await Host()
        defer { host.stop() }
        let main = try RefName("refs/heads/main")
        let asked = ContinuousClock.now
        for _ in 0..<3 { #expect(try await host.mirror.fetch(main, commit: nil, asked: asked).id == host.first) }
        #expect(host.proxy.connections == 1)
        // Who asks later is told what is there then.
        let second = try CommitID(await host.fixture.repository.commit("Second", ["a": "2"]))
        #expect(try await host.mirror.fetch(main).id == second)
        #expect(host.proxy.connections == 2)
        #expect(try await host.mirror.fetch(main).id == second)
        #expect(host.proxy.connections == 3)
    }

    @Test func otherRefsAtTheSameCommitNeedNoOtherConversation() async throws {
        let host = try await Host()
        defer { host.stop() }
        let repository = host.fixture.repository
        try await repository.git("branch", "same")
        try await repository.git("tag", "-a", "-m", "One", "v1")
        try await repository.git("checkout", "-q", "-b", "else")
        let elsewhere = try CommitID(await repository.commit("Else", ["b": "1"]))
        let asked = ContinuousClock.now
        _ = try await host.mirror.fetch(RefName("refs/heads/main"), commit: host.first, asked: asked)
        let same = try await host.mirror.fetch(RefName("refs/heads/same"), commit: host.first, asked: asked)
        #expect(same.id == host.first)
        #expect(host.proxy.connections == 1)
        // A host sends a tag's own object along with what it names.
        #expect(try await host.mirror.fetch(RefName("refs/tags/v1"), commit: nil, asked: asked).id == host.first)
        #expect(host.proxy.connections == 1)
        // Another commit is not there yet.
        #expect(try await host.mirror.fetch(RefName("refs/heads/else"), commit: nil, asked: asked).id == elsewhere)
        #expect(host.proxy.connections == 2)
        #expect(try await host.mirror.fetch(RefName("refs/heads/same"), commit: host.first).id == host.first)
        #expect(host.proxy.connections == 2)
        // A commit that is there by now is still not taken for another ref's.
        await expectFailure(.build, elsewhere.text, "no longer") {
            _ = try await host.mirror.fetch(RefName("refs/heads/main"), commit: elsewhere)
        }
        #expect(host.proxy.connections == 3)
    }

    @Test func anOlderCommitOfAKnownBranchNeedsNoConversation() async throws {
        let host = try await Host()
        defer { host.stop() }
        let second = try CommitID(await host.fixture.repository.commit("Second", ["a": "2"]))
        let main = try RefName("refs/heads/main")
        _ = try await host.mirror.fetch(main, commit: second)
        host.proxy.stop()
        #expect(try await host.mirror.fetch(main, commit: host.first).message == "First\n")
    }
}
