import Foundation
import Platform
import Testing

@Suite struct FreeSpaceTests {
    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (200 << 20, "200 MiB"),
        // Never shown as the bound that it misses.
        ((1 << 30) - 1, "1023.9 MiB"), (1 << 30, "1 GiB"), (20 << 30, "20 GiB"), (5 << 50, "5120 TiB"),
        (Int.max, "8388607.9 TiB"),
    ])
    func bytesForPeople(_ bytes: Int, _ text: String) {
        #expect(bytes.bytesShown == text)
    }

    @Test func tellsTheRoomOfAFolder() throws {
        #expect(try FreeSpace.bytes(at: NSTemporaryDirectory()) > 0)
        #expect(throws: POSIXError.self) { try FreeSpace.bytes(at: "/nonexistent/folder") }
    }
}
