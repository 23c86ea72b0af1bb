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
        case .signalled(let signal):
            throw Failure(
                .system, stage,
                "\(builder) was killed by signal \(signal)" + (signal == SIGKILL ? ", perhaps for want of memory" : ""))
        case .exited(let code):
            throw FailureReader(build: build, builder: builder, code: code, lines: tail.lines).failure(of: stage)
        }
    }
}
