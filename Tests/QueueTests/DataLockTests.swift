import Foundation
import Queue
import TestSupport
import Testing

@Suite struct DataLockTests {
    @Test func aDirectoryIsServedByOne() async throws {
        try await withFolder { folder in
            var first: DataLock? = try DataLock(directory: folder)
            let error = #expect(throws: DataLockError.self) { _ = try DataLock(directory: folder) }
            #expect(error?.description.contains("(process \(getpid()))") == true)
            #expect(error?.description.contains(folder) == true)
            withExtendedLifetime(first) {}
            first = nil
            _ = try DataLock(directory: folder)
        }
    }

    @Test func aDirectoryThatIsNotThereIsNamed() async throws {
        try await withFolder { folder in
            let error = #expect(throws: DataLockError.self) { _ = try DataLock(directory: folder + "/none") }
            #expect(error?.description.contains("\(folder)/none/lock: No such file or directory") == true)
        }
    }

    @Test func aChildDoesNotKeepTheLock() async throws {
        try await withFolder { folder in
            var lock: DataLock? = try DataLock(directory: folder)
            let child = Program()
            child.executableURL = URL(fileURLWithPath: "/bin/cat")
            let input = Pipe()
            child.standardInput = input
            try child.runUnmasked()
            withExtendedLifetime(lock) {}
            lock = nil
            _ = try DataLock(directory: folder)
            try input.fileHandleForWriting.close()
            child.waitUntilExit()
        }
    }
}
