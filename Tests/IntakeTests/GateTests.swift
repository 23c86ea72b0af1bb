import Foundation
import Model
import Platform
import Queue
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Intake

@Suite struct GateTests {
    private let folder: TemporaryDirectory
    private let store: DatabaseStore

    init() async throws {
        folder = try TemporaryDirectory()
        store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
    }

    private final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        var all: [String] { kept.withLock { $0 } }
        var log: Log { Log { line in self.kept.withLock { $0.append(line) } } }
    }

    private func gate(
        perToken: String = "3/m", perAddress: String = "2/m", delay: Int = 0, _ time: ManualTime, _ lines: Lines
    ) throws -> Gate {
        let limits = Limits(perToken: try Rate(perToken), perAddress: try Rate(perAddress), delay: delay)
        return Gate(LiveSettings(Settings(limits: limits)), store: store, time: time, log: lines.log)
    }

    // MARK: Rates

    @Test func aBurstThenEvenly() async throws {
        let time = ManualTime()
        let gate = try gate(time, Lines())
        for _ in 1...3 { try await gate.admit("the token \"a\"") }
        let error = await #expect(throws: TooManyRequests.self) { try await gate.admit("the token \"a\"") }
        #expect(error?.retryAfter == 20)
        #expect(error?.description == "the token \"a\" may send 3 requests in 60 s; ask again in 20 s")
        // another's bucket is its own
        try await gate.admit("the token \"b\"")
        time.advance(by: .milliseconds(19_500))
        await #expect(throws: TooManyRequests("the token \"a\" may send 3 requests in 60 s", after: 0.5)) {
            try await gate.admit("the token \"a\"")
        }
        time.advance(by: .milliseconds(500))
        try await gate.admit("the token \"a\"")
        await #expect(throws: TooManyRequests.self) { try await gate.admit("the token \"a\"") }
        time.advance(by: .seconds(3600))
        for _ in 1...3 { try await gate.admit("the token \"a\"") }
        await #expect(throws: TooManyRequests.self) { try await gate.admit("the token \"a\"") }
    }

    @Test func withoutALimitNobodyIsRefused() async throws {
        let limits = Limits(perToken: nil, perAddress: nil, delay: 0)
        let gate = Gate(LiveSettings(Settings(limits: limits)), store: store, time: ManualTime(), log: Lines().log)
        for _ in 1...1000 {
            try await gate.admit("a")
            try await gate.holdBack("192.0.2.1")
        }
    }

    @Test func otherLimitsHoldAtOnceAndNothingIsForgotten() async throws {
        let time = ManualTime()
        func settings(_ perToken: String?, _ perAddress: String) throws -> Settings {
            Settings(
                limits: Limits(perToken: try perToken.map { try Rate($0) }, perAddress: try Rate(perAddress), delay: 0))
        }
        let live = LiveSettings(try settings("2/m", "1/m"))
        let gate = Gate(live, store: store, time: time, log: Lines().log)
        for _ in 1...2 { try await gate.admit("a") }
        await #expect(throws: TooManyRequests.self) { try await gate.admit("a") }
        try await gate.holdBack("192.0.2.1")
        await #expect(throws: TooManyRequests.self) { try await gate.holdBack("192.0.2.1") }
        _ = live.change(to: try settings(nil, "1000/s"))
        for _ in 1...10 { try await gate.admit("a") }
        try await gate.holdBack("192.0.2.2")
        // Back again: what was taken before is still missing.
        _ = live.change(to: try settings("2/m", "1/m"))
        await #expect(throws: TooManyRequests.self) { try await gate.admit("a") }
        time.advance(by: .seconds(30))
        try await gate.admit("a")
    }

    @Test(arguments: ["7/s", "300/m", "999/h", "1000000/s"])
    func aBurstIsTheWholeRate(_ text: String) throws {
        let rate = try Rate(text)
        var buckets = Buckets<Int>()
        let now = Date()
        var taken = 0
        while buckets.take(1, at: rate, now: now) == nil { taken += 1 }
        #expect(taken == rate.count)
    }

    @Test func theClockMayBeSetBack() throws {
        let rate = try Rate("1/m")
        var buckets = Buckets<Int>()
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        #expect(buckets.take(1, at: rate, now: now) == nil)
        let wait = buckets.take(1, at: rate, now: now - 86_400)
        #expect(wait == 60)
    }

    @Test func onlySoManyKeysAreRemembered() throws {
        let rate = try Rate("10/m")
        var buckets = Buckets<Int>(most: 100)
        let now = Date()
        for _ in 1...10 { _ = buckets.take(-1, at: rate, now: now) }
        for key in 0..<1000 {
            _ = buckets.take(key, at: rate, now: now)
            #expect(buckets.count <= 100)
        }
        // The emptiest bucket is not the one that was forgotten.
        #expect(buckets.take(-1, at: rate, now: now) != nil)
    }

    @Test func addressesAreTakenByTheirCallersNetwork() async throws {
        let gate = try gate(perAddress: "1/m", ManualTime(), Lines())
        try await gate.holdBack("2001:db8:0:1::1")
        await #expect(throws: TooManyRequests.self) { try await gate.holdBack("2001:db8:0:1:ffff::2") }
        try await gate.holdBack("2001:db8:0:2::1")
        try await gate.holdBack("192.0.2.1")
        await #expect(throws: TooManyRequests.self) { try await gate.holdBack("::ffff:192.0.2.1") }
        try await gate.holdBack("192.0.2.2")
    }

    // MARK: Several servers

    /// The burst of several servers is that of one, whoever is asked.
    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"), .timeLimit(.minutes(6)))
    func serversShareTheLimits() async throws {
        try await withShared { time, stores in
            let limits = Limits(perToken: try Rate("10/m"), perAddress: try Rate("3/m"), delay: 0)
            let gates = stores.map {
                Gate(LiveSettings(Settings(limits: limits)), store: $0, time: time, log: Lines().log)
            }
            let admitted = await withTaskGroup(of: Bool.self) { group in
                for place in 0..<60 {
                    group.addTask { (try? await gates[place % gates.count].admit("the token \"a\"")) != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(admitted == 10)
            let error = await #expect(throws: TooManyRequests.self) { try await gates[0].admit("the token \"a\"") }
            #expect(error?.retryAfter == 6)
            // Every bucket is its own, and the same everywhere.
            try await gates[0].admit("the token \"b\"")
            for place in 0..<3 { try await gates[place % 2].holdBack("192.0.2.1") }
            for gate in gates {
                await #expect(throws: TooManyRequests.self) { try await gate.holdBack("192.0.2.1") }
                try await gate.holdBack("192.0.2.2")
            }
            time.advance(by: .seconds(6))
            try await gates[1].admit("the token \"a\"")
            await #expect(throws: TooManyRequests.self) { try await gates[0].admit("the token \"a\"") }
        }
    }

    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"), .timeLimit(.minutes(6)))
    func withoutTheDatabaseEachHoldsTheLimitsAlone() async throws {
        try await withShared { time, stores in
            let gate = Gate(
                LiveSettings(Settings(limits: Limits(perToken: try Rate("3/m"), delay: 0))), store: stores[0],
                time: time, log: Lines().log)
            try await gate.admit("a")
            try await PostgreSQLServer.shared()?.sql("DROP TABLE buckets", in: name)
            for _ in 1...2 { try await gate.admit("a") }
            await #expect(throws: TooManyRequests.self) { try await gate.admit("a") }
        }
    }

    private var name: String { URL(fileURLWithPath: folder.path).lastPathComponent }

    /// Two stores on one queue.
    private func withShared(_ body: (ManualTime, [any Store]) async throws -> Void) async throws {
        let server = try #require(try await PostgreSQLServer.shared())
        let address = PostgreSQLAddress(url: try await server.database(name))
        let time = ManualTime()
        let stores = [
            try await DatabaseStore.open(postgreSQL: address, time: time),
            try await DatabaseStore.open(postgreSQL: address, time: time),
        ]
        do { try await body(time, stores) } catch { Issue.record(error) }
        for store in stores { await store.close() }
        try await server.drop(name)
    }

    // MARK: Holding back

    @Test(.timeLimit(.minutes(6))) func answersWaitAndTooManyDont() async throws {
        let time = ManualTime()
        let gate = try gate(perAddress: "1000/m", delay: 1000, time, Lines())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...Gate.mostHeld { group.addTask { try await gate.holdBack("192.0.2.1") } }
            #expect(await eventually { time.sleepers == Gate.mostHeld })
            let error = await #expect(throws: TooManyRequests.self) { try await gate.holdBack("192.0.2.2") }
            #expect(error?.retryAfter == 1)
            time.advance(by: .milliseconds(999))
            #expect(time.sleepers == Gate.mostHeld)
            time.advance(by: .milliseconds(1))
            try await group.waitForAll()
        }
        // There is room again, and who is cancelled waits for nothing.
        let held = Task { try await gate.holdBack("192.0.2.3") }
        #expect(await eventually { time.sleepers == 1 })
        held.cancel()
        try await held.value
        #expect(time.sleepers == 0)
    }

    // MARK: Counting

    @Test(.timeLimit(.minutes(6))) func aFloodWritesALineASecond() async throws {
        let time = ManualTime()
        let lines = Lines()
        let gate = try gate(time, lines)
        func turnAway(_ reason: Gate.Reason) {
            gate.turnAway(Gate.Event(reason, "no", path: "POST /triggers/…", address: "192.0.2.1"))
        }
        for _ in 1...500 { turnAway(.unknownToken) }
        turnAway(.rate)
        #expect(lines.all.count == 2)
        #expect(lines.all.first?.contains("turned away: no reason=unknown_token times=1") == true, "\(lines.all)")
        #expect(gate.turnedAway["unknown_token"] == 500)
        #expect(gate.turnedAway["rate"] == 1)
        #expect(gate.turnedAway["wrong_signature"] == 0)
        // what no line has told of is told when the second is over, and then it is quiet
        #expect(await eventually { time.sleepers == 2 })
        time.advance(by: .seconds(1))
        #expect(await eventually { lines.all.count == 3 && time.sleepers == 1 })
        #expect(lines.all.last?.contains("reason=unknown_token times=499") == true, "\(lines.all)")
        time.advance(by: .seconds(1))
        #expect(await eventually { time.sleepers == 0 })
        turnAway(.unknownToken)
        #expect(await eventually { lines.all.count == 4 })
        #expect(lines.all.last?.contains("times=1 ") == true, "\(lines.all)")
    }
}
