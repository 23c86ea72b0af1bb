import Foundation
import Model
import Platform
import Queue
import Synchronization
import TestSupport
import Testing

@testable import Worker

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct LeaseTests {
    /// Another worker has it meanwhile: the first stops in the middle and says nothing more.
    @Test func whoLostItsLeaseStops() async throws {
        let shop = try await Shop(workers: 2)
        let holding = Holding()
        shop.engine.does { step, count in if step == .build && count == 1 { try await holding.hold() } }
        let build = try await shop.push("a")
        let end = try await shop.work {
            #expect(await holding.began.wait())
            #expect(try await shop.store.rescue(all: true, tries: 9) == [build.id])
            #expect(await holding.ended.wait())
            return try await shop.wait(for: build) { $0.state.isEnd }
        }
        #expect(end.state == .finished, "\(end)")
        #expect(end.attempt == 2)
        #expect(shop.engine.count == 2)
    }

    /// As where the process was stopped, or the database takes nothing: the attempt's own clock tells.
    @Test(arguments: [CountingEngine.Step.build, .push])
    func whatCouldNotBeRenewedIsOver(step: CountingEngine.Step) async throws {
        var pace = Pace.quick
        pace.lease = .seconds(20)
        pace.renewal = .seconds(600)
        pace.rescue = .seconds(600)
        let shop = try await Shop(pace: pace)
        let holding = Holding()
        shop.engine.does { now, _ in if now == step { try await holding.hold() } }
        let build = try await shop.push("a")
        try await shop.work {
            #expect(await holding.began.wait())
            #expect(await holding.ended.wait())
        }
        let now = try #require(try await shop.store.build(build.id))
        // Neither failed, nor given back, nor a word more in the log: it is the rescuer's.
        #expect(now.state == (step == .build ? .building : .pushing))
        #expect(now.attempt == 1)
        #expect(try await !shop.log(of: build).contains("failed"))
        #expect(shop.asked("PUT").isEmpty)
    }

    @Test func afterItsEndNoRegistryIsAsked() async throws {
        let shop = try await Shop()
        let hold = Hold(build: 1, attempt: 1)
        let over = Lease(hold, length: .seconds(20), asked: .now - .seconds(21))
        let good = Lease(hold, length: .seconds(20), asked: .now)
        let tools = try shop.tools
        let asked = Mutex(0)
        await #expect(throws: LeaseLost.self) {
            try await tools.under(over).ask(.tag) { _ in asked.withLock { $0 += 1 } }
        }
        #expect(asked.withLock(\.self) == 0)
        try await tools.under(good).ask(.tag) { _ in asked.withLock { $0 += 1 } }
        #expect(asked.withLock(\.self) == 1)
        #expect(over.rest == nil)
        #expect(throws: LeaseLost.self) { try over.check("put") }
        await #expect(throws: LeaseLost.self) { try await over.renew(in: shop.store) }
    }

    @Test func aLostAttemptIsFoundAndBuiltAgain() async throws {
        var pace = Pace.quick
        pace.rescue = .milliseconds(50)
        let shop = try await Shop(pace: pace)
        let build = try await shop.push("a")
        #expect(try await shop.store.claim(limit: 1, worker: "gone", lease: .milliseconds(1)).count == 1)
        let end = try await shop.end(of: build)
        #expect(end.state == .finished, "\(end)")
        #expect(end.attempt == 2)
    }

    /// After the time of day was set, by far more than the clocks differ, who lives must renew first.
    @Test func aSteppedClockIsNoticed() {
        let time = ManualTime(now: Date())
        var watch = StepWatch(time)
        let before = watch.isSteady(for: .seconds(20))
        time.advance(by: .seconds(3600))
        let looks = [watch.isSteady(for: .seconds(20)), watch.isSteady(for: .seconds(20)), watch.isSteady(for: .zero)]
        #expect(before)
        #expect(looks == [false, false, true])
    }
}
