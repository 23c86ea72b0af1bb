import Foundation
import Platform
import Testing

@Suite struct TimeTests {
    @Test func writesAndReadsTimestamps() throws {
        let date = Date(timeIntervalSince1970: 1_795_228_988.120)
        #expect(Timestamp.text(date) == "2026-11-21T02:43:08.120Z")
        let read = try #require(Timestamp.date("2026-11-21T02:43:08.120Z"))
        #expect(Timestamp.text(read) == "2026-11-21T02:43:08.120Z")
        #expect(Timestamp.date("2026-11-21T02:43:08Z") == Date(timeIntervalSince1970: 1_795_228_988))
    }

    @Test(arguments: ["", "yesterday", "2026-11-21", "2026-13-21T02:43:08Z"])
    func refusesWhatIsNoTime(_ text: String) {
        #expect(Timestamp.date(text) == nil)
    }

    @Test func tellsWholeMilliseconds() {
        let milliseconds = SystemTime().now.timeIntervalSince1970 * 1000
        #expect(abs(milliseconds - milliseconds.rounded()) < 0.001)
    }

    @Test func givesTheResultWithinTheDeadline() async throws {
        #expect(await withDeadline(.seconds(60)) { 7 } == 7)
    }

    @Test func cancelsAndWaitsForTheOperation() async throws {
        let (stream, end) = AsyncStream<Void>.makeStream()
        let result = await withDeadline(.milliseconds(20)) {
            // Ends by cancellation only.
            for await _ in stream {}
            return Task.isCancelled
        }
        #expect(result == nil)
        end.finish()
    }

    @Test func passesErrorsOn() async throws {
        struct Broken: Error {}
        await #expect(throws: Broken.self) {
            try await withDeadline(.seconds(60)) { throw Broken() }
        }
    }
}
