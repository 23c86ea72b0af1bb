import Foundation

/// A server program of a test, ended by its own pid.
package final class Daemon: @unchecked Sendable {
    /// Guarded by the process's own locks: only `run` at the start and `terminate` at the end touch it.
    private let process: Program
    private let logPath: String

    package struct NotReady: Error, CustomStringConvertible {
        package let description: String
    }

    /// Starts a program that stays in the foreground.
    ///
    /// - Parameter log: the file that its output goes to.
    package init(_ program: String, _ arguments: [String], environment: [String: String] = [:], log: String) throws {
        process = try Command.process(program, arguments, in: nil, environment: environment)
        try Data().write(to: URL(fileURLWithPath: log))
        let output = FileHandle(forWritingAtPath: log)
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        logPath = log
        try process.runUnmasked()
    }

    deinit {
        stop()
    }

    package var log: String {
        (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
    }

    /// Waits until the program takes connections on a loopback port.
    ///
    /// - Throws: `NotReady` where it ends first, or the deadline passes.
    package func waitUntilReady(port: UInt16, deadline: TimeInterval = 60) async throws {
        try await waitUntil(deadline) {
            guard let socket = Loopback.connect(port) else { return false }
            close(socket)
            return true
        }
    }

    /// Waits until a condition of the program's making holds.
    package func waitUntil(_ deadline: TimeInterval = 60, _ condition: @escaping @Sendable () -> Bool) async throws {
        let end = Date().addingTimeInterval(deadline)
        let isReady = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                // The program tells nobody when it is ready, so it is asked again and again.
                while process.isRunning && Date() < end {
                    if condition() { return continuation.resume(returning: true) }
                    poll(nil, 0, 10)
                }
                continuation.resume(returning: false)
            }
        }
        guard isReady else {
            throw NotReady(description: "\(process.executableURL?.lastPathComponent ?? "") does not answer: \(log)")
        }
    }

    /// Ends the program and waits for its end.
    package func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }
}
