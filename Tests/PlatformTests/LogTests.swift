import Foundation
import Platform
import Synchronization
import Testing

@Suite struct LogTests {
    private final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        var all: [String] { kept.withLock { $0 } }
        func add(_ line: String) { kept.withLock { $0.append(line) } }
    }

    @Test func writesOneLineAnEvent() throws {
        let lines = Lines()
        let log = Log { lines.add($0) }
        log.info("build began", ["build": 42, "ref": "refs/heads/main", "message": "say \"hi\"\nagain", "empty": ""])
        let line = try #require(lines.all.first)
        #expect(
            line.dropFirst(24)
                == " info build began build=42 ref=refs/heads/main message=\"say \\\"hi\\\"\\nagain\" empty=\"\"\n")
        #expect(Timestamp.date(String(line.prefix(24))) != nil)
    }

    @Test func keepsQuietBelowTheThreshold() {
        let lines = Lines()
        let log = Log(threshold: .warning) { lines.add($0) }
        log.debug("a")
        log.info("b")
        log.warning("c")
        log.error("d")
        #expect(lines.all.count == 2)
    }
}
