import Foundation
import Model
import Queue
import TestSupport
import Testing

@testable import Worker

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct StopTests {
    @Test(arguments: [CountingEngine.Step.build, .push])
    func whatRunsIsCancelled(step: CountingEngine.Step) async throws {
        let shop = try await Shop { $0.method == "GET" ? .answer(404) : nil }
        let holding = Holding()
        shop.engine.does { now, _ in if now == step { try await holding.hold() } }
        let build = try await shop.push("a")
        let end = try await shop.work {
            #expect(await holding.began.wait())
            let asked = try await shop.store.cancel(build.id, reason: "ops asked for it")
            #expect(asked?.stop == .cancelled)
            return try await shop.wait(for: build) { $0.state.isEnd }
        }
        #expect(end.state == .cancelled)
        #expect(end.reason == "ops asked for it")
        #expect(await holding.ended.wait())
        #expect(try await shop.log(of: build).hasSuffix("slipway: cancelled: ops asked for it\n"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder["work"]) == [])
    }

    /// Both at once: it ends as was asked for, and is not tried again.
    @Test func whatFailsMeanwhileIsCancelled() async throws {
        let shop = try await Shop()
        let build = try await shop.push("a")
        shop.engine.does { [store = shop.store] step, _ in
            _ = try await store.cancel(build.id, reason: "no more")
            throw Failure(.system, .build, "the engine is away")
        }
        let end = try await shop.end(of: build)
        #expect(end.state == .cancelled, "\(end)")
        #expect(shop.engine.count == 1)
        #expect(try await shop.log(of: build).hasSuffix("slipway: cancelled: no more\n"))
    }

    @Test func whatWaitsToBeTriedAgainIsCancelled() async throws {
        var pace = Pace()
        pace.firstRetry = .seconds(600)
        let shop = try await Shop(pace: pace)
        shop.engine.does { _, _ in throw Failure(.system, .build, "the engine is away") }
        let build = try await shop.push("a")
        let end = try await shop.work {
            try await shop.wait(for: build) { $0.retryAt != nil }
            return try await shop.store.cancel(build.id, reason: "no more")
        }
        #expect(end?.state == .cancelled)
        #expect(end?.retryAt == nil)
    }
}
