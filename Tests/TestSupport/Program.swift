import Foundation
import Synchronization

/// A program that a test starts, with the names of Foundation's `Process`.
///
/// That one hands on the blocked signals of Dispatch's threads, so that what it starts never hears SIGTERM, and its
/// `waitUntilExit` can miss the end of a program when it is called off the main thread.
package final class Program: @unchecked Sendable {
    package var executableURL: URL?
    package var arguments: [String]?
    package var environment: [String: String]?
    package var currentDirectoryURL: URL?
    /// A `FileHandle` or `Pipe`; nil is /dev/null.
    package var standardInput: Any?
    package var standardOutput: Any?
    package var standardError: Any?

    private let end = Mutex<(pid: pid_t, status: Int32?)>((0, nil))
    private let waiting = NSLock()

    package init() {}

    package var processIdentifier: pid_t { end.withLock(\.pid) }

    package func runUnmasked() throws {
        guard let path = executableURL?.path else { throw POSIXError(.ENOENT) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, stream) in [(Int32(0), standardInput), (1, standardOutput), (2, standardError)] {
            if let descriptor = descriptor(stream, writing: target > 0) {
                posix_spawn_file_actions_adddup2(&actions, descriptor, target)
            } else {
                posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
            }
        }
        try Self.closeFrom(&actions, 3)
        if let folder = currentDirectoryURL?.path { try Self.changeDirectory(&actions, folder) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words = ([path] + (arguments ?? [])).map { strdup($0) } + [nil]
        var variables =
            (environment ?? ProcessInfo.processInfo.environment).map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (words + variables).forEach { free($0) } }
        var pid: pid_t = 0
        let fault = posix_spawn(&pid, path, &actions, &attributes, &words, &variables)
        guard fault == 0 else { throw POSIXError(POSIXErrorCode(rawValue: fault) ?? .EINVAL) }
        end.withLock { $0.pid = pid }
        // Its readers see the end only when nobody here holds the other side open.
        for case let pipe as Pipe in [standardOutput, standardError] { try? pipe.fileHandleForWriting.close() }
    }

    // glibc has both, but shows them to C only with its own extensions on.

    private static func closeFrom(_ actions: inout posix_spawn_file_actions_t, _ first: Int32) throws {
        typealias Function = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else { throw POSIXError(.ENOSYS) }
        _ = unsafeBitCast(symbol, to: Function.self)(&actions, first)
    }

    private static func changeDirectory(_ actions: inout posix_spawn_file_actions_t, _ folder: String) throws {
        typealias Function =
            @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> Int32
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addchdir_np") else { throw POSIXError(.ENOSYS) }
        _ = unsafeBitCast(symbol, to: Function.self)(&actions, folder)
    }

    private func descriptor(_ stream: Any?, writing: Bool) -> Int32? {
        switch stream {
        case let pipe as Pipe: (writing ? pipe.fileHandleForWriting : pipe.fileHandleForReading).fileDescriptor
        case let handle as FileHandle where handle !== FileHandle.nullDevice: handle.fileDescriptor
        default: nil
        }
    }

    package var isRunning: Bool {
        end.withLock { end in
            guard end.pid > 0, end.status == nil else { return false }
            var status: Int32 = 0
            if waitpid(end.pid, &status, WNOHANG) == end.pid { end.status = status }
            return end.status == nil
        }
    }

    package func terminate() {
        end.withLock { if $0.status == nil, $0.pid > 0 { _ = kill($0.pid, SIGTERM) } }
    }

    /// Blocks its thread until the program has ended.
    package func waitUntilExit() {
        waiting.withLock {
            while isRunning {
                // WNOWAIT leaves the status for `isRunning`, which alone takes it.
                var info = siginfo_t()
                waitid(P_PID, id_t(processIdentifier), &info, WEXITED | WNOWAIT)
            }
        }
    }

    /// The exit code, or the number of the signal that ended it.
    package var terminationStatus: Int32 {
        let status = end.withLock { $0.status ?? 0 }
        return status & 0x7f == 0 ? (status >> 8) & 0xff : status & 0x7f
    }

    /// Waits without holding a thread of Swift's pool.
    package func ended() async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            Thread.detachNewThread {
                self.waitUntilExit()
                done.resume()
            }
        }
    }
}
