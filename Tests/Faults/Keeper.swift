import Foundation
import TestSupport

/// Starts a program of the service, and starts it again whenever it is gone, as an operator's supervisor would.
actor Keeper {
    private let begin: @Sendable () async throws -> Service
    private let counts: Counts
    private let findings: Findings
    private var service: Service?
    private var hasStarted = false
    private var waiting: [CheckedContinuation<Service, Never>] = []
    /// How long a start is tried again, where the service ends by itself: the disk may be full.
    private static let longest: Duration = .seconds(120)

    init(counts: Counts, findings: Findings, begin: @escaping @Sendable () async throws -> Service) {
        self.counts = counts
        self.findings = findings
        self.begin = begin
    }

    /// The service once it answers.
    func running() async -> Service {
        if let service { return service }
        return await withCheckedContinuation { waiting.append($0) }
    }

    /// - Throws: `Found` where it does not start for long.
    func start() async throws {
        let end = ContinuousClock.now + Self.longest
        while true {
            do {
                let started = try await begin()
                service = started
                counts.add(hasStarted ? "starts again" : "starts")
                hasStarted = true
                for continuation in waiting { continuation.resume(returning: started) }
                waiting = []
                return
            } catch {
                counts.add("starts in vain")
                guard ContinuousClock.now < end else {
                    throw Found("the service does not start:\n\("\(error)".suffix(2000))")
                }
                // A supervisor's own pause between starts.
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    func kill() async throws {
        let gone = try take()
        await gone.kill9()
        try await start()
    }

    func restart() async throws {
        let gone = try take()
        let status = await gone.stop()
        if status != 0 { findings.add("the service ended with \(status) when it was asked to stop") }
        try await start()
    }

    /// The service stands still for a while, and nobody tells it.
    func freeze(_ time: Duration) async throws {
        let service = await running()
        Foundation.kill(service.pid, SIGSTOP)
        defer { Foundation.kill(service.pid, SIGCONT) }
        try await Task.sleep(for: time)
    }

    /// - Returns: its exit code.
    func stop() async throws -> Int32 {
        try await take().stop()
    }

    private func take() throws -> Service {
        guard let service else { throw Found("there is no service to end") }
        self.service = nil
        if !service.process.isRunning {
            findings.add("the service ended by itself, with \(service.process.terminationStatus)")
        }
        return service
    }
}
