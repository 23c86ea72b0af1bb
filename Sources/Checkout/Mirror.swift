import CGit2
import Foundation
import Model
import Platform

/// A bare copy of a source, fetched ref by ref; builds of one repository share it.
///
/// Everything that touches its files runs on its own queue, one after the other. The files are opened anew for every
/// operation, so nothing is held between builds, and damage is found where it matters: a damaged mirror is removed and
/// fetched again.
package actor Mirror {
    private nonisolated let lane: QueueExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    package nonisolated let source: GitSource
    nonisolated let credentials: GitCredentials?
    nonisolated let home: String
    nonisolated let log: Log
    nonisolated let silence: Duration
    let files: MirrorFiles
    nonisolated let seenTrees: SeenTrees
    private var isSwept = false
    var submodules: [GitSource: Mirror] = [:]
    /// What the source last said that it has, and when it was asked.
    var told: (at: ContinuousClock.Instant, heads: [RemoteHead])?

    init(
        source: GitSource, credentials: GitCredentials?, home: String, log: Log, silence: Duration, lane: QueueExecutor,
        seenTrees: SeenTrees
    ) {
        self.source = source
        self.credentials = credentials
        self.home = home
        self.log = log
        self.silence = silence
        self.lane = lane
        self.seenTrees = seenTrees
        files = MirrorFiles(home: home)
    }

    /// The mirror of a submodule, kept beside this one: what one repository may read is not another's to see.
    func submodule(_ source: GitSource, credentials: GitCredentials?) -> Mirror {
        if let mirror = submodules[source] { return mirror }
        let mirror = Mirror(
            source: source, credentials: credentials, home: "\(home)/submodules/\(MirrorFiles.name(of: source))",
            log: log, silence: silence, lane: lane, seenTrees: seenTrees)
        submodules[source] = mirror
        return mirror
    }

    /// Runs `body` with the open mirror; where the mirror turns out to be damaged, makes it anew and runs `repair` and
    /// `body` once more.
    ///
    /// - Throws: `CheckoutError`; `CancellationError` when the task is cancelled, in the middle of a call too.
    func withRepository<Value: Sendable>(
        repair: (OpaquePointer, NetworkCall) throws -> Void = { _, _ in },
        _ body: (OpaquePointer, NetworkCall) throws -> Value
    ) async throws -> Value {
        do {
            return try await NetworkCall.run(silence: silence) { call in
                do {
                    return try opened { try body($0, call) }
                } catch let fault as GitFault where !fault.isOfTheMachine && call.end == nil {
                    log.warning(
                        "a mirror is damaged and is made anew",
                        ["source": source, "path": files.path, "operation": fault.operation, "error": fault.message])
                    try files.remove()
                    return try opened {
                        try repair($0, call)
                        return try body($0, call)
                    }
                }
            }
        } catch let fault as GitFault {
            throw CheckoutError.storage("the mirror at \(files.path) fails: can't \(fault.operation): \(fault.message)")
        } catch let silent as NetworkCall.Silent {
            throw CheckoutError.silent(source, seconds: silent.seconds)
        }
    }

    private func opened<Value>(_ body: (OpaquePointer) throws -> Value) throws -> Value {
        if !isSwept {
            files.sweep(log)
            isSwept = true
        }
        if !files.exist { try files.make() }
        let repository = try GitHandle("open the mirror of \(source)", free: git_repository_free) {
            git_repository_open_bare(&$0, files.path)
        }
        return try body(repository.pointer)
    }
}
