import Foundation
import Model
import Platform

/// One run of a builder's command: hands its output on, and makes a failure of its ending.
struct BuilderRun: Sendable {
    let stage: Failure.Stage
    let builder: String
    let build: ImageBuild

    /// Time for the builder to remove what it made, between SIGTERM and SIGKILL: a cancelled build is gone within 5 s.
    private static let grace: Duration = .seconds(4)

    /// - Throws: `Failure`, `CancellationError`, whatever `output` throws.
    func callAsFunction(_ child: ChildProcess, output: (Data) async throws -> Void) async throws {
        var tail = OutputTail()
        let ending: ChildProcess.Ending
        do {
            ending = try await child.run(grace: Self.grace) { data in
                tail.append(data)
                try await output(data)
            }
        } catch let error as ChildProcessError {
            throw Failure(.system, stage, "\(builder): \(error)")
        }
        switch ending {
        case .exited(0): return
        case .cancelled, .timedOut: throw CancellationError()
        case .signalled where limit(of: child, lines: tail.lines) != nil:
            throw reader(of: child, SIGKILL, tail.lines).failure(of: stage)
        case .signalled(let signal):
            throw Failure(
                .system, stage,
                "\(builder) was killed by signal \(signal)" + (signal == SIGKILL ? ", perhaps for want of memory" : ""))
        case .exited(let code):
            throw reader(of: child, code, tail.lines).failure(of: stage)
        }
    }

    private func reader(of child: ChildProcess, _ code: Int32, _ lines: [String]) -> FailureReader {
        FailureReader(
            build: build, builder: builder, code: code, lines: lines, limit: limit(of: child, lines: lines))
    }

    /// The limit of the rule that a failed build had reached; nil where that can't be told.
    private func limit(of child: ChildProcess, lines: [String]) -> String? {
        // What a shell makes of a process that was killed, as each builder words it.
        let wasKilled = lines.suffix(12).contains { line in
            line.contains("exited on killed") || line.contains("exit status 137") || line.contains("non-zero code: 137")
                || line.contains("exit code: 137")
        }
        let isOutOfMemory = child.group.map { $0.outOfMemoryKills > 0 || $0.memoryWasFull && wasKilled } ?? wasKilled
        if stage == .build, isOutOfMemory, let memory = build.limits.memory {
            return "the rule's memory limit of \(Rule.Limits.shown(bytes: memory)) was reached"
        }
        if let processes = build.limits.processes, let group = child.group {
            // Of a group that a container had below this one, only the peak is left.
            let couldNotFork = lines.suffix(12).contains { $0.localizedCaseInsensitiveContains("resource temporarily") }
            guard group.refusedProcesses > 0 || couldNotFork && group.mostProcesses >= processes else { return nil }
            return "the rule's limit of \(processes) processes was reached"
        }
        return nil
    }
}
