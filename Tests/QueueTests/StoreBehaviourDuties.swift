import Foundation
import Model
import Platform
import Queue
import TestSupport
import Testing

/// What the store promises of what one of many does, and of what they share.
@Suite struct StoreBehaviourDuties {
    @Test(arguments: StoreFactory.all)
    func aDutyIsOnesUntilItsTimeIsOver(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            func take(_ holder: String, _ name: String = "poll") async throws -> Bool {
                try await store.takeDuty(name, by: holder, for: .seconds(20))
            }
            #expect(try await take("a"))
            #expect(try await take("b") == false)
            #expect(try await take("b", "sweep"))
            fixture.time.advance(by: .seconds(15))
            #expect(try await take("a"))
            // The sweep's 20 s are over in between.
            fixture.time.advance(by: .seconds(19))
            #expect(try await take("b") == false)
            fixture.time.advance(by: .seconds(1))
            #expect(try await take("b"))
            #expect(try await take("a") == false)
            // What is left is free at once, and what is not stays.
            try await store.leaveDuties(of: "a")
            #expect(try await take("a") == false)
            try await store.leaveDuties(of: "b")
            #expect(try await take("a"))
            #expect(try await take("a", "sweep"))
        }
    }

    @Test(arguments: StoreFactory.all)
    func ofManyWhoAskAtOnceOneHasIt(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let holders = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<20 {
                    group.addTask { try await fixture.store.takeDuty("poll", by: "\(number)", for: .seconds(20)) }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(holders == 1)
        }
    }

    // MARK: Buckets

    @Test(arguments: StoreFactory.all)
    func aBucketFillsEvenly(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let (store, rate) = (fixture.store, try Rate("3/m"))
            for _ in 1...3 { #expect(try await store.take(from: "a", at: rate) == nil) }
            for _ in 1...2 { #expect(try await store.take(from: "a", at: rate) == .seconds(20)) }
            #expect(try await store.take(from: "b", at: rate) == nil)
            fixture.time.advance(by: .milliseconds(19_500))
            #expect(try await store.take(from: "a", at: rate) == .milliseconds(500))
            fixture.time.advance(by: .milliseconds(500))
            #expect(try await store.take(from: "a", at: rate) == nil)
            #expect(try await store.take(from: "a", at: rate) == .seconds(20))
            // Another rate holds at once, and what was taken stays taken.
            let (slower, faster) = (try Rate("1/m"), try Rate("6/m"))
            #expect(try await store.take(from: "a", at: slower) == .seconds(60))
            #expect(try await store.take(from: "a", at: faster) == .seconds(10))
            fixture.time.advance(by: .seconds(3600))
            for _ in 1...3 { #expect(try await store.take(from: "a", at: rate) == nil) }
            #expect(try await store.take(from: "a", at: rate) == .seconds(20))
        }
    }

    @Test(arguments: StoreFactory.all)
    func nobodyWaitsForATimeThatWasSetBack(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let rate = try Rate("1/m")
            #expect(try await fixture.store.take(from: "a", at: rate) == nil)
            fixture.time.advance(by: .seconds(-86_400))
            #expect(try await fixture.store.take(from: "a", at: rate) == .seconds(60))
        }
    }

    /// Nothing of it is left once it is full, and what is not full is kept.
    @Test(arguments: StoreFactory.all)
    func whatIsFullIsForgotten(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let (store, rate) = (fixture.store, try Rate("2/m"))
            for name in ["a", "b", "b"] { #expect(try await store.take(from: name, at: rate) == nil) }
            fixture.time.advance(by: .seconds(30))
            _ = try await store.prune(Keep(), limit: 9)
            #expect(try await store.take(from: "b", at: rate) == nil)
            #expect(try await store.take(from: "b", at: rate) == .seconds(30))
        }
    }

    @Test(arguments: StoreFactory.all)
    func asManyAsTheRateSaysOfAllWhoAskAtOnce(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let rate = try Rate("25/m")
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<60 {
                    group.addTask { try await fixture.store.take(from: "a", at: rate) == nil }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(taken == 25)
        }
    }
}

/// Who has a duty, and who takes it over.
@Suite struct DutyTests {
    private func duty(_ fixture: Fixture, _ holder: String) -> Duty {
        Duty("poll", holder: holder, store: fixture.store, time: fixture.time, log: Log(sink: { _ in }))
    }

    @Test func whereNobodyElseHasTheQueueEveryDutyIsOurs() async throws {
        try await Fixture.with(.sqlite) { fixture in
            let (first, second) = (duty(fixture, "a"), duty(fixture, "b"))
            await first.run()
            #expect(await first.isOurs())
            #expect(await second.isOurs())
            #expect(fixture.time.sleepers == 0)
        }
    }

    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"), .timeLimit(.minutes(6)))
    func whoAsksMeanwhileWaitsForTheFirstAnswer() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let duty = duty(fixture, "a")
            let running = Task { await duty.run() }
            let answers = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 { group.addTask { await duty.isOurs() } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0 })
            running.cancel()
            await running.value
        }
    }

    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"), .timeLimit(.minutes(6)))
    func itIsTakenOverSoonAfterItsHolderIsGone() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let (first, second) = (duty(fixture, "a"), duty(fixture, "b"))
            #expect(await first.isOurs())
            #expect(await second.isOurs() == false)
            let running = Task { await first.run() }
            #expect(await eventually { fixture.time.sleepers == 1 })
            let waiting = Task { await second.run() }
            #expect(await eventually { fixture.time.sleepers == 2 })
            func pass() async {
                fixture.time.advance(by: Duty.renewal)
                #expect(await eventually { fixture.time.sleepers == (running.isCancelled ? 1 : 2) })
            }
            for _ in 0..<9 { await pass() }
            #expect(await first.isOurs())
            #expect(await second.isOurs() == false)
            // As by a kill -9: nothing is left to others.
            running.cancel()
            await running.value
            var passed = Duration.zero
            while await second.isOurs() == false, passed < .seconds(60) {
                await pass()
                passed += Duty.renewal
            }
            #expect(passed <= .seconds(25), "\(passed)")
            waiting.cancel()
            await waiting.value
        }
    }

    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"))
    func itIsKeptForItsTimeWhereTheDatabaseFails() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let duty = duty(fixture, "a")
            #expect(await duty.isOurs())
            let name = URL(fileURLWithPath: fixture.folder).lastPathComponent
            try await PostgreSQLServer.shared()?.sql("DROP TABLE duties", in: name)
            let running = Task { await duty.run() }
            #expect(await eventually { fixture.time.sleepers == 1 })
            #expect(await duty.isOurs())
            let other = self.duty(fixture, "b")
            #expect(await other.isOurs() == false)
            running.cancel()
            await running.value
        }
    }
}
