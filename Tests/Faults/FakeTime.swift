import Foundation
import TestSupport

/// The clock that the service sees, by Debian's package faketime: it can be stepped while the service runs, and the
/// machine's own stays as it is.
struct FakeTime: Sendable {
    private let libraries: [String]
    /// The names of the library's shared memory. Where it makes its own it moves the environment, and Swift's runtime,
    /// which looks for the arguments beside that, finds none.
    private let shared: String
    private let file: String

    /// Nil where the machine doesn't have it.
    static func make(in folder: String) async throws -> FakeTime? {
        let libraries = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib")
            .map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
        guard let library = libraries.first(where: FileManager.default.fileExists), Command.path(of: "faketime") != nil,
            Command.path(of: "clang") != nil
        else { return nil }
        let timers = folder + "/timers.so"
        try await Command.run(
            "clang", ["-shared", "-fPIC", "-o", timers, "-x", "c", "-"], input: Data(Self.timers.utf8))
        // The program that made them is killed before it can remove them.
        let script = "faketime -m -f +0 sh -c 'echo \"$FAKETIME_SHARED\"; kill -9 $PPID'; true"
        let time = FakeTime(
            libraries: [timers, library], shared: try await Command.run("/bin/sh", ["-c", script]),
            file: folder + "/clock")
        try time.step(by: 0)
        return time
    }

    /// The library moves timers by what the time of day was moved, also those of clocks that it leaves alone: they would
    /// end that much too late, or be over at once, again and again. This goes before it.
    private static let timers = """
        #define _GNU_SOURCE
        #include <sys/syscall.h>
        #include <sys/timerfd.h>
        #include <unistd.h>
        int timerfd_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *from) {
            return syscall(SYS_timerfd_settime, fd, flags, to, from);
        }

        """

    /// - Parameter seconds: from the machine's time.
    func step(by seconds: Int) throws {
        try Data((seconds < 0 ? "\(seconds)" : "+\(seconds)").utf8).write(to: URL(filePath: file), options: .atomic)
    }

    func close() {
        for name in shared.split(separator: " ") {
            unlink("/dev/shm\(name)")
            unlink("/dev/shm/sem.\(name.dropFirst())")
        }
    }

    /// Timers go by a clock that nobody can set, so that one is left alone.
    var environment: [String: String] {
        [
            "LD_PRELOAD": libraries.joined(separator: ":"), "FAKETIME_SHARED": shared, "FAKETIME_TIMESTAMP_FILE": file,
            "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        ]
    }
}
