import Foundation

/// A program to run in a scope: when the call returns, the program and everything that it started are gone.
///
/// That holds for descendants in other groups and sessions, when the task is cancelled, when `onOutput` throws, and
/// when the service itself is killed: then they are killed at once. A supervisor process (`slipway-child`) beside each
/// program sees to it.
package struct ChildProcess: Sendable {
    /// A path, or a name to look for in the environment's `PATH`.
    package var executable: String
    package var arguments: [String]
    /// All that the program gets; nothing is inherited.
    package var environment: [String: String]
    /// Nil is the service's own.
    package var workingDirectory: String?
    /// What the program reads on stdin; nil is /dev/null.
    package var input: Data?
    /// The control group that the program and what it starts are in; nil is the service's own.
    package var group: ControlGroup?

    package init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        workingDirectory: String? = nil, input: Data? = nil, group: ControlGroup? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.input = input
        self.group = group
    }

    /// How a program that started came to its end.
    package enum Ending: Sendable, Equatable {
        case exited(Int32)
        /// By the number of a signal that nobody here sent.
        case signalled(Int32)
        case timedOut
        case cancelled
    }

    package struct Captured: Sendable, Equatable {
        package var ending: Ending
        package var stdout: Data
        package var stderr: Data
        /// Whether one of them was longer than the limit; the rest is dropped.
        package var truncated: Bool
    }

    /// Runs the program with stdout and stderr as one stream.
    ///
    /// A cancelled task or a thrown error sends SIGTERM to the program's group and, after `grace`, SIGKILL to all that
    /// is left. What the program left running at its own end gets a fifth of a second.
    ///
    /// - Parameters:
    ///   - grace: the time between SIGTERM and SIGKILL.
    ///   - timeout: the longest time that the program may run.
    ///   - onOutput: gets each piece in order, up to 64 KiB; nothing is read until it has returned.
    /// - Returns: the ending; an exit code other than 0 is no error.
    /// - Throws: `ChildProcessError` where the program could not start; whatever `onOutput` throws.
    package func run(
        grace: Duration = .seconds(5), timeout: Duration? = nil, isolation: isolated (any Actor)? = #isolation,
        onOutput: (Data) async throws -> Void
    ) async throws -> Ending {
        try await read(grace: grace, timeout: timeout, separately: false) { try await onOutput($1) }
    }

    /// Runs the program and keeps up to `limit` bytes each of its stdout and stderr.
    ///
    /// - Throws: `ChildProcessError` where the program could not start.
    package func capture(
        limit: Int = 1 << 20, timeout: Duration? = nil, grace: Duration = .seconds(5),
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> Captured {
        var captured = Captured(ending: .cancelled, stdout: Data(), stderr: Data(), truncated: false)
        captured.ending = try await read(grace: grace, timeout: timeout, separately: true) { stream, data in
            let room = limit - (stream == .stdout ? captured.stdout : captured.stderr).count
            if data.count > room { captured.truncated = true }
            switch stream {
            case .stdout: captured.stdout += data.prefix(room)
            case .stderr: captured.stderr += data.prefix(room)
            }
        }
        return captured
    }

    private func read(
        grace: Duration, timeout: Duration?, separately: Bool, isolation: isolated (any Actor)? = #isolation,
        _ body: (ChildSession.Stream, Data) async throws -> Void
    ) async throws -> Ending {
        if Task.isCancelled { return .cancelled }
        let session = ChildSession()
        try await session.start(self, grace: grace, timeout: timeout, separately: separately)
        return try await withTaskCancellationHandler {
            var failure: (any Error)?
            while let (stream, data) = await session.next() {
                // After a failure the rest is read all the same: a full pipe would keep the program from its end.
                if failure != nil { continue }
                do {
                    try await body(stream, data)
                } catch {
                    failure = error
                    session.terminate()
                }
            }
            let result = await session.finish()
            if let failure { throw failure }
            return try result.get()
        } onCancel: {
            session.terminate()
        }
    }
}
