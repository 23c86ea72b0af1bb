import Foundation

/// The sole use of a data directory by one process: flock(2) on `<data>/lock`, for as long as the object lives.
///
/// The kernel ends the lock with the process, however that ends, so a lock is never left behind.
package final class DataLock: Sendable {
    private let file: Int32

    /// - Throws: `DataLockError` where another process holds the directory, or the file can't be made.
    package init(directory: String) throws(DataLockError) {
        let path = directory + "/lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw DataLockError("can't make \(path): \(Self.reason()); make the directory, writable for this user")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            defer { close(file) }
            guard code == EWOULDBLOCK else { throw DataLockError("can't lock \(path): \(Self.reason(code))") }
            let holder = Self.readPID(file).map { " (process \($0))" } ?? ""
            throw DataLockError(
                "another slipway\(holder) serves the data directory \(directory): end it, or set another \"data\"")
        }
        do {
            try Self.writePID(file, path)
        } catch {
            close(file)
            throw error
        }
        self.file = file
    }

    deinit {
        // Not left to close: a child process that is just being started may still have the file open.
        flock(file, LOCK_UN)
        close(file)
    }

    private static func readPID(_ file: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(
            String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static func writePID(_ file: Int32, _ path: String) throws(DataLockError) {
        let text = Array("\(getpid())\n".utf8)
        guard ftruncate(file, 0) == 0, pwrite(file, text, text.count, 0) == text.count else {
            throw DataLockError("can't write \(path): \(reason())")
        }
    }

    private static func reason(_ code: Int32 = errno) -> String {
        String(cString: strerror(code))
    }
}

/// The data directory can't be had; the description is a sentence for people.
package struct DataLockError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
