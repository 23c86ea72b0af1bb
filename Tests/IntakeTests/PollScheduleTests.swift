import Foundation
import Model
import Settings
import Testing

@testable import Intake

/// When sources are looked at.
@Suite struct PollScheduleTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)

    private func repository(_ name: String, host: String = "git.example.com", poll: Int? = 300) throws -> Repository {
        Repository(
            name: try RepositoryName("acme/\(name)"), source: try GitSource("https://\(host)/\(name).git"),
            image: try ImageName("localhost:5000/acme/\(name)"), poll: poll.map { .seconds($0) }, rules: [])
    }

    private func schedule() -> PollSchedule { PollSchedule { 1 } }

    /// When each look of a repository begins, in seconds after the start, where its looks end at once, and so.
    private func looks(
        _ schedule: inout PollSchedule, _ repositories: [Repository], until end: Double = .infinity, most: Int = 12,
        _ outcome: (Int) -> PollSchedule.Outcome
    ) -> [Double] {
        var (now, looks): (Double, [Double]) = (0, [])
        while looks.count < most, now <= end {
            let date = start.addingTimeInterval(now)
            switch schedule.next(repositories, now: date) {
            case .wait(let pause): now += pause.seconds
            case .look(let repository):
                looks.append(now)
                _ = schedule.end(repository, outcome(looks.count), now: date)
            }
        }
        return looks.map { $0.rounded() }
    }

    @Test func aStartIsSpread() throws {
        var schedule = schedule()
        let repositories = try ["a", "b", "c"].map { try repository($0) } + [try repository("d", poll: nil)]
        #expect(looks(&schedule, repositories, most: 6) { _ in .seen } == [0, 10, 20, 300, 310, 320])
    }

    @Test func pausesVary() throws {
        var schedule = PollSchedule()
        let looks = looks(&schedule, [try repository("a")], most: 100) { _ in .seen }
        let pauses = zip(looks.dropFirst(), looks).map { $0 - $1 }
        #expect(pauses.min()! >= 269 && pauses.max()! <= 331 && Set(pauses).count > 5)
    }

    @Test func aSourceThatFailsIsAskedLessAndLess() throws {
        var schedule = schedule()
        let away = { (look: Int) in look < 8 ? PollSchedule.Outcome.silent("away", isBusy: false) : .seen }
        let looks = looks(&schedule, [try repository("a")], most: 10, away)
        let pauses = zip(looks.dropFirst(), looks).map { $0 - $1 }
        #expect(pauses == [300, 600, 1200, 2400, 3600, 3600, 3600, 300, 300])
    }

    @Test func whatIsAskedSeldomIsNotAskedMoreForItsFailures() throws {
        var schedule = schedule()
        let looks = looks(&schedule, [try repository("a", poll: 86_400)], most: 3) { _ in
            .silent("away", isBusy: false)
        }
        #expect(looks == [0, 86_400, 172_800])
    }

    @Test func aQueueWithoutRoomIsNotTheSourcesFault() throws {
        var schedule = schedule()
        #expect(looks(&schedule, [try repository("a")], most: 3) { _ in .notKept("full") } == [0, 300, 600])
    }

    @Test func aBusyHostIsLeftAlone() throws {
        var schedule = schedule()
        let repositories = try [repository("a", poll: 10), repository("b", poll: 10)]
        let busy = { (look: Int) in look <= 3 ? PollSchedule.Outcome.silent("429", isBusy: true) : .seen }
        // The rest grows with each refusal, whichever repository meets it.
        let looks = looks(&schedule, repositories, most: 6, busy)
        #expect(Array(looks.prefix(4)) == [0, 60, 180, 420])
        var other = self.schedule()
        let hosts = try [repository("a"), repository("b", host: "other.example.com")]
        #expect(self.looks(&other, hosts, most: 2) { _ in .silent("429", isBusy: true) } == [0, 15])
    }

    @Test func twoRefusalsAtOnceAreOne() throws {
        var schedule = schedule()
        let repositories = try [repository("a"), repository("b")]
        guard case .look(let first) = schedule.next(repositories, now: start) else {
            Issue.record("none is due")
            return
        }
        let later = start.addingTimeInterval(15)
        guard case .look(let second) = schedule.next(repositories, now: later) else {
            Issue.record("b isn't due")
            return
        }
        for repository in [first, second] {
            _ = schedule.end(repository, .silent("429", isBusy: true), now: later)
        }
        let due = looks(&schedule, [try repository("c")], most: 1) { _ in .seen }
        #expect(due == [75])
    }

    @Test func theSettingsOfNowCount() throws {
        var schedule = schedule()
        var shop = try repository("a", poll: 86_400)
        func isDue(_ seconds: Double) -> Bool {
            guard case .look = schedule.next([shop], now: start.addingTimeInterval(seconds)) else { return false }
            _ = schedule.end(shop, .silent("away", isBusy: false), now: start.addingTimeInterval(seconds))
            return true
        }
        #expect(isDue(0))
        #expect(!isDue(10))
        shop.poll = .seconds(10)
        #expect(!isDue(20))
        #expect(isDue(32))
        // Another source has not failed yet.
        shop.poll = .seconds(3600)
        #expect(!isDue(40))
        shop.source = try GitSource("https://git.example.com/b.git")
        #expect(isDue(41))
        // The clock was set back.
        #expect(!isDue(-10_000))
        #expect(isDue(-6_000))
    }

    @Test func aLookThatLastsIsTheOnlyOne() throws {
        var schedule = schedule()
        var shop = try repository("a")
        guard case .look = schedule.next([shop], now: start) else {
            Issue.record("none is due")
            return
        }
        func next(_ seconds: Double) -> PollSchedule.Step {
            schedule.next([shop], now: start.addingTimeInterval(seconds))
        }
        guard case .wait(.seconds(10)) = next(9_000) else {
            Issue.record("a second look")
            return
        }
        // Not even where the settings were changed meanwhile.
        shop.source = try GitSource("https://git.example.com/b.git")
        guard case .wait = next(9_000) else {
            Issue.record("a second look")
            return
        }
        _ = schedule.next([], now: start)
        guard case .wait = next(9_000) else {
            Issue.record("a second look")
            return
        }
    }

    @Test func aFaultIsToldOnce() throws {
        var schedule = schedule()
        let shop = try repository("a")
        func end(_ outcome: PollSchedule.Outcome) -> Bool {
            _ = schedule.next([shop], now: start)
            return schedule.end(shop, outcome, now: start).isNew
        }
        #expect(!end(.seen))
        #expect(end(.silent("away", isBusy: false)))
        #expect(!end(.silent("away", isBusy: false)))
        #expect(!end(.broken))
        #expect(end(.silent("no such repository", isBusy: false)))
        #expect(end(.seen))
        #expect(!end(.seen))
    }
}
