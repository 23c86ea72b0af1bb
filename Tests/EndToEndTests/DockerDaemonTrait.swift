import TestSupport
import Testing

/// Gives a suite one daemon for all its tests.
package struct DockerDaemonTrait: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { false }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard DockerDaemon.isAvailable else { return try await function() }
        try await DockerDaemon.run { _ in try await function() }
    }
}

extension Trait where Self == DockerDaemonTrait {
    package static var dockerDaemon: Self { Self() }
}
