import Foundation
import Model
import Testing

@testable import Worker

/// When images that builds stand on are looked at, where nobody tells of them.
@Suite struct BaseScheduleTests {
    private let start = Date(timeIntervalSince1970: 1_795_000_000)
    private let images = sure(try (1...4).map { try ImageReference("r.test/i\($0):latest") })

    private func names(_ due: Set<ImageReference>) -> [String] { due.map(\.image.path).sorted() }

    @Test func theFirstLooksAreSpread() {
        var schedule = BaseSchedule(jitter: { 1 })
        func due(_ seconds: Double) -> [String] {
            names(schedule.due(images, poll: .seconds(3600), now: start + seconds))
        }
        #expect(due(0) == [])
        #expect(due(74) == [])
        #expect(due(75) == ["i1"])
        #expect(due(150) == ["i2"])
        #expect(due(300) == ["i3", "i4"])
        #expect(due(3674) == [])
        // Each an hour after its own.
        #expect(due(3675) == ["i1"])
        #expect(due(3750) == ["i2"])
    }

    @Test func oneThatIsNewIsLookedAtAfterAWholePause() {
        var schedule = BaseSchedule(jitter: { 1 })
        _ = schedule.due([images[0]], poll: .seconds(600), now: start)
        #expect(names(schedule.due([images[0], images[1]], poll: .seconds(600), now: start + 300)) == ["i1"])
        #expect(names(schedule.due([images[1]], poll: .seconds(600), now: start + 899)) == [])
        #expect(names(schedule.due([images[1]], poll: .seconds(600), now: start + 900)) == ["i2"])
    }

    @Test func offIsNeverButWhatFailedIsLookedAtAgain() {
        var schedule = BaseSchedule(jitter: { 1 })
        schedule.again([images[0], images[1]], after: .seconds(60), now: start)
        #expect(names(schedule.due(images, poll: nil, now: start + 59)) == [])
        // The second is no longer in use.
        #expect(names(schedule.due([images[0]], poll: nil, now: start + 60)) == ["i1"])
        #expect(names(schedule.due(images, poll: nil, now: start + 1_000_000)) == [])
        #expect(names(schedule.due(images, poll: .seconds(10), now: start + 1_000_000)) == [])
        #expect(names(schedule.due(images, poll: .seconds(10), now: start + 1_000_010)).count == 4)
    }

    @Test func aShorterPauseHoldsSoon() {
        var schedule = BaseSchedule(jitter: { 1 })
        _ = schedule.due([images[0]], poll: .seconds(86400), now: start)
        #expect(names(schedule.due([images[0]], poll: .seconds(86400), now: start + 300)) == ["i1"])
        #expect(names(schedule.due([images[0]], poll: .seconds(10), now: start + 310)) == [])
        #expect(names(schedule.due([images[0]], poll: .seconds(10), now: start + 322)) == ["i1"])
    }
}
