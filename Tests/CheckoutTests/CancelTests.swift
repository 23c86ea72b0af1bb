import Checkout
import Foundation
import Model
import Platform
import TestSupport
import Testing

/// A host that says nothing must hold neither a cancelled build nor, for long, any other.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct CancelTests {
    @Test(arguments: [
        "git://127.0.0.1:%/shop", "http://127.0.0.1:%/shop", "https://127.0.0.1:%/shop", "ssh://git@127.0.0.1:%/shop",
    ])
    func cancellingEndsAWaitForASilentHost(address: String) async throws {
        let relay = try StallingRelay()
        defer { relay.stop() }
        let fixture = try await Fixture(silence: .seconds(3600))
        let mirror = try fixture.mirror(address.replacing("%", with: "\(relay.port)"))
        await expectCancelled(by: relay) { _ = try await mirror.fetch(RefName("refs/heads/main")) }
        // The mirror is free for the next.
        try await fixture.repository.commit()
        _ = try await fixture.mirror().fetch(RefName("refs/heads/main"))
    }

    @Test(arguments: [
        "git://127.0.0.1:%/shop", "http://127.0.0.1:%/shop", "https://127.0.0.1:%/shop", "ssh://git@127.0.0.1:%/shop",
    ])
    func aSilentHostIsGivenUp(address: String) async throws {
        let relay = try StallingRelay()
        defer { relay.stop() }
        let fixture = try await Fixture(silence: .milliseconds(200))
        let mirror = try fixture.mirror(address.replacing("%", with: "\(relay.port)"))
        await expectFailure(.system, "said nothing for 0.2 s") {
            _ = try await mirror.fetch(RefName("refs/heads/main"))
        }
        await expectFailure(.system, "said nothing") {
            _ = try await listRemote(source: mirror.source, credentials: nil, silence: .milliseconds(200))
        }
    }

    @Test(.enabled(if: GitDaemon.isPossible, "needs git daemon"), arguments: [200, 300_000])
    func cancellingEndsAFetchInTheMiddle(bytes: Int) async throws {
        let fixture = try await Fixture(silence: .seconds(3600))
        let noise = Data((0..<1_000_000).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        try await fixture.repository.commit("Big", ["big": noise])
        let daemon = try await GitDaemon.start(root: fixture.directory.path)
        defer { daemon.stop() }
        let relay = try StallingRelay(to: daemon.port, after: bytes)
        defer { relay.stop() }
        let mirror = try fixture.mirror("git://127.0.0.1:\(relay.port)/source")
        await expectCancelled(by: relay) { _ = try await mirror.fetch(RefName("refs/heads/main")) }
        // Nothing half is left: the next fetch, past the relay, is whole.
        let direct = try fixture.mirror(daemon.url(for: "source"))
        let workspace = fixture.workspace()
        try await direct.checkOut(try await direct.fetch(RefName("refs/heads/main")).id, into: workspace)
        #expect(try text(workspace + "/big") == noise)
    }

    @Test func aCancelledTaskStartsNothing() async throws {
        let fixture = try await Fixture()
        let id = try CommitID(await fixture.repository.commit())
        let mirror = try fixture.mirror()
        let workspace = fixture.workspace()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await mirror.fetch(RefName("refs/heads/main"), commit: id)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        let other = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await mirror.checkOut(id, into: workspace)
        }
        await #expect(throws: CancellationError.self) { try await other.value }
        #expect(!FileManager.default.fileExists(atPath: workspace))
    }

    /// Starts `work`, cancels it when the relay has fallen silent, and expects its end.
    private func expectCancelled(by relay: StallingRelay, _ work: @escaping @Sendable () async throws -> Void) async {
        let task = Task { try await work() }
        let ended: Void? = await withDeadline(.seconds(60)) {
            for await _ in relay.stalls { break }
            task.cancel()
            let result = await task.result
            #expect(throws: CancellationError.self) { try result.get() }
        }
        #expect(ended != nil, "the call did not end")
    }
}
