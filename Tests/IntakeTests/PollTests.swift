import Foundation
import Model
import Queue
import Settings
import TestSupport
import Testing

@testable import Intake

/// What a look at a source makes of it.
@Suite struct PollTests {
    private let main = "refs/heads/main"

    @Test func theFirstLookOnlyNotes() async throws {
        let shop = try await PollFixture()
        await shop.look([main: "1", "refs/tags/v1": "1"])
        #expect(try await shop.builds() == [])
        #expect(try await shop.seen() == [main: "1", "refs/tags/v1": "1"])
    }

    @Test func whatMovedOrIsNewIsBuiltOnce() async throws {
        let shop = try await PollFixture()
        await shop.look([main: "1", "refs/heads/dev": "1"])
        await shop.look([main: "3", "refs/heads/dev": "3", "refs/tags/v1": "3"])
        #expect(try await shop.builds() == ["poll refs/heads/main 3", "poll refs/tags/v1 3"])
        await shop.look()
        #expect(try await shop.builds().count == 2)
        #expect(shop.lines.count { $0.hasPrefix("info found a push that nobody told of") } == 2, "\(shop.lines)")
        let build = try #require(try await shop.store.build(1))
        let delivery = try #require(try await shop.store.delivery(build.cause.delivery ?? ""))
        #expect(build.cause == Cause(.poll, host: nil, delivery: delivery.id))
        #expect(delivery.kind == .poll && delivery.ignored.map(\.rule) == [2])
        #expect(build.tags.map(\.name.text) == ["t1"] && build.commitTag?.text == "sha-333333333333")
    }

    @Test func whatNoRuleBuildsLeavesNoDelivery() async throws {
        let shop = try await PollFixture(rules: [PollFixture.rule(1, .branch("main"), autobuild: false)])
        await shop.look([main: "1"])
        await shop.look([main: "2", "refs/heads/dev": "2"])
        #expect(try await shop.store.deliveries(DeliveryQuery()).isEmpty)
        #expect(try await shop.seen() == [main: "2", "refs/heads/dev": "2"])
    }

    @Test func theSourceTellsItsDefaultBranch() async throws {
        let shop = try await PollFixture(rules: [PollFixture.rule(1, .defaultBranch)])
        await shop.look([main: "1", "refs/heads/dev": "1"])
        await shop.look([main: "2", "refs/heads/dev": "2"])
        #expect(try await shop.builds() == ["poll refs/heads/main 2"])
    }

    // MARK: What was told

    @Test(arguments: [0, 60])
    func whatWasToldIsBuiltOnce(age: Int) async throws {
        let shop = try await PollFixture()
        await shop.look([main: "1"])
        shop.time.advance(by: .seconds(331 - age))
        try await shop.tell(main, "2", before: "1")
        await shop.look([main: "2"], after: .seconds(age))
        #expect(try await shop.builds() == ["webhook refs/heads/main 2"])
        #expect(try await shop.store.deliveries(DeliveryQuery()).count == 1)
        #expect(try await shop.seen() == [main: "2"])
        // Told after it was found.
        await shop.look([main: "3"])
        try await shop.tell(main, "3", before: "2")
        #expect(try await shop.builds() == ["webhook refs/heads/main 2", "poll refs/heads/main 3"])
    }

    @Test func whatFailedIsNotBuiltAgain() async throws {
        let shop = try await PollFixture()
        await shop.look([main: "1"])
        try await shop.tell(main, "2", before: "1")
        let build = try #require(try await shop.store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
        try await shop.store.fail(build.hold, Failure(.build, .build, "no such file"))
        await shop.look([main: "2"])
        await shop.look()
        #expect(try await shop.builds() == ["webhook refs/heads/main 2"])
    }

    @Test func aPushToldDuringTheLookIsNotTakenBack() async throws {
        let shop = try await PollFixture { shop in
            guard shop.asked.count == 2 else { return }
            try await shop.tell("refs/heads/main", "1")
            shop.time.advance(by: .seconds(60))
            try await shop.tell("refs/heads/main", "2", before: "1")
            shop.time.advance(by: .seconds(60))
        }
        await shop.look([main: "1"])
        await shop.look()
        #expect(try await shop.builds() == ["webhook refs/heads/main 1", "webhook refs/heads/main 2"])
    }

    /// 1, 2 and back to 1, which is a push too.
    @Test(arguments: [true, false])
    func aBranchThatWasPutBackIsBuilt(lookedBetween: Bool) async throws {
        let shop = try await PollFixture()
        await shop.look([main: "0"])
        try await shop.tell(main, "1", before: "0")
        await shop.look([main: "1"])
        try await shop.tell(main, "2", before: "1")
        if lookedBetween { await shop.look([main: "2"]) }
        await shop.look([main: "1"])
        await shop.look()
        #expect(try await shop.builds().last == "poll refs/heads/main 1")
        #expect(try await shop.builds().count == 3)
    }

    /// A source may show everybody a little later what its webhook told.
    @Test func aSourceThatLagsIsNotTakenAtItsWord() async throws {
        let shop = try await PollFixture()
        await shop.look([main: "0"])
        try await shop.tell(main, "1", before: "0")
        await shop.look([main: "1"])
        shop.time.advance(by: .seconds(330))
        try await shop.tell(main, "2", before: "1")
        await shop.look(after: .seconds(29))
        await shop.look([main: "2"])
        #expect(try await shop.builds() == ["webhook refs/heads/main 1", "webhook refs/heads/main 2"])
    }

    // MARK: What is gone

    @Test func deletedRefsAreForgotten() async throws {
        let shop = try await PollFixture()
        await shop.look([main: "1", "refs/tags/v1": "1"])
        await shop.look([main: "1"])
        #expect(try await shop.seen() == [main: "1"])
        await shop.look([main: "1", "refs/tags/v1": "1"])
        #expect(try await shop.builds() == ["poll refs/tags/v1 1"])
    }

    @Test func aSourceThatShowsNothingIsNotForgotten() async throws {
        let shop = try await PollFixture()
        await shop.look([main: "1", "refs/tags/v1": "1"])
        await shop.look([:])
        await shop.look([main: "1", "refs/tags/v1": "1"])
        #expect(try await shop.builds() == [])
    }

    // MARK: What fails

    @Test func whatFindsNoRoomIsFoundAgain() async throws {
        let shop = try await PollFixture(limits: Limits(pending: 1, pendingPerRepository: 1))
        await shop.look([main: "1"])
        await shop.look([main: "2", "refs/tags/v1": "2"])
        #expect(try await shop.builds() == ["poll refs/heads/main 2"])
        #expect(try await shop.seen() == [main: "1"])
        #expect(shop.lines.last?.hasPrefix("warning pushes that nobody told of can't be queued: 1 build") == true)
        let build = try #require(try await shop.store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
        try await shop.store.fail(build.hold, Failure(.build, .build, "no such file"))
        await shop.look()
        #expect(try await shop.builds() == ["poll refs/heads/main 2", "poll refs/tags/v1 2"])
        #expect(try await shop.seen() == [main: "2", "refs/tags/v1": "2"])
    }

    private struct Away: Error, CustomStringConvertible {
        let description: String
    }

    @Test func aSourceThatIsAwayIsToldOnce() async throws {
        let shop = try await PollFixture()
        await shop.look([main: "1"])
        let away = shop.lines.count
        shop.set { $0.fault = Away(description: "no route to it") }
        await shop.look()
        await shop.look()
        #expect(shop.lines.count == away + 1, "\(shop.lines)")
        shop.set { $0.fault = Away(description: "no such repository") }
        await shop.look(after: .seconds(3600))
        shop.set { $0.fault = nil }
        await shop.look([main: "2"], after: .seconds(3600))
        #expect(
            shop.lines.dropFirst(away).map { String($0.prefix(55)) }
                == [
                    "warning can't look for pushes that nobody told of: no ro",
                    "warning can't look for pushes that nobody told of: no su",
                    "info found a push that nobody told of repository=acme/s",
                    "info is looked at for pushes again repository=acme/shop",
                ].map { String($0.prefix(55)) })
        #expect(try await shop.builds() == ["poll refs/heads/main 2"])
    }

    @Test func aBusyHostIsLeftAloneByAll() async throws {
        let shop = try await PollFixture(hosts: ["a.example.com", "a.example.com", "b.example.com"])
        shop.set { $0.fault = HostBusy("status code: 429") }
        await shop.look(after: .zero)
        await shop.look(after: .seconds(29))
        #expect(shop.asked == ["acme/shop", "acme/shop2"])
    }

    // MARK: Running

    @Test(.timeLimit(.minutes(6)))
    func atMostTwoAreAskedAtOnce() async throws {
        let go = Signal()
        let shop = try await PollFixture(hosts: ["a", "b", "c", "d"].map { "\($0).example.com" }) { _ in
            _ = await go.wait()
        }
        let polling = Task { await shop.poller.run() }
        #expect(await eventually { shop.asked.count == 1 && shop.time.sleepers == 1 })
        // All four are due now, and the first again and again.
        shop.time.advance(by: .seconds(600))
        #expect(await eventually { shop.asked.count == 2 && shop.time.sleepers == 0 })
        #expect(Set(shop.asked).count == 2)
        go.fire()
        #expect(await eventually { shop.time.sleepers == 2 })
        #expect(shop.asked.sorted() == ["acme/shop", "acme/shop1", "acme/shop2", "acme/shop3"])
        polling.cancel()
        await polling.value
    }

    @Test(.timeLimit(.minutes(6)))
    func settingsAreReadAnew() async throws {
        let shop = try await PollFixture(poll: nil)
        let polling = Task { await shop.poller.run() }
        #expect(await eventually { shop.time.sleepers == 2 })
        var settings = shop.settings.now
        settings.repositories[0].poll = .seconds(10)
        _ = shop.settings.change(to: settings)
        shop.time.advance(by: .seconds(10))
        #expect(await eventually { shop.time.sleepers == 2 })
        #expect(shop.asked == ["acme/shop"])
        polling.cancel()
        await polling.value
    }
    /// Of several that share a queue one looks; the next begins when that one has left it.
    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"), .timeLimit(.minutes(6)))
    func oneOfManyLooks() async throws {
        let shop = try await PollFixture(isShared: true)
        shop.has(["refs/heads/main": "1"])
        #expect(try await shop.store.takeDuty("poll", by: "another", for: .seconds(3600)))
        let polling = Task { await shop.poller.run() }
        // Its two looks, and the duty.
        #expect(await eventually { shop.time.sleepers == 3 })
        for _ in 1...3 {
            shop.time.advance(by: .seconds(600))
            #expect(await eventually { shop.time.sleepers == 3 })
        }
        #expect(shop.asked.isEmpty)
        try await shop.store.leaveDuties(of: "another")
        for _ in 1...2 {
            shop.time.advance(by: Duty.renewal)
            #expect(await eventually { shop.time.sleepers == 3 })
        }
        #expect(shop.asked == ["acme/shop"])
        polling.cancel()
        await polling.value
        try await shop.close()
    }

    /// What was told lately is so by the queue's time: this machine's clock may be wrong.
    @Test(arguments: [-3600.0, 0, 3600])
    func whatSettlesIsTimedByTheQueue(ahead: Double) async throws {
        let shop = try await PollFixture(ahead: ahead)
        await shop.look(["refs/heads/main": "1"])
        try await shop.tell("refs/heads/main", "1")
        shop.time.advance(by: .seconds(320))
        try await shop.tell("refs/heads/main", "2", before: "1")
        // The source shows it late: nobody has taken it back.
        await shop.look(after: .seconds(29))
        #expect(shop.asked.count == 2)
        #expect(try await shop.builds() == ["webhook refs/heads/main 1", "webhook refs/heads/main 2"])
        // It still does much later.
        await shop.look()
        #expect(try await shop.builds().last == "poll refs/heads/main 1")
    }
}
