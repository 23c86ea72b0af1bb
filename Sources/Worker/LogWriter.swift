import Foundation
import Model
import Platform
import Queue

/// Writes one attempt's output to the build's log while it comes: in order, masked, bounded, a few times a second.
actor LogWriter {
    /// The most that the log of a build holds, as on Docker Hub.
    static let limit = 64 << 20
    /// Output waits at most this long before it is stored.
    static let delay = Duration.milliseconds(100)
    static let chunk = 64 << 10

    private let store: any Store
    private let hold: Hold
    private let secrets: @Sendable () -> [Secret]
    private var masked: [Secret]
    private let lease: Lease?
    private var mask: Mask
    private var room: Int
    private var waiting = Data()
    private var flushing: Task<Void, any Error>?
    private var scheduled: Task<Void, Never>?

    /// - Parameters:
    ///   - secrets: what is masked, asked for anew with each piece of output.
    ///   - length: the bytes that former attempts left in the log.
    ///   - lease: nothing is stored once it is over.
    init(
        store: any Store, hold: Hold, secrets: @escaping @Sendable () -> [Secret], length: Int,
        limit: Int = LogWriter.limit, lease: Lease? = nil
    ) {
        self.store = store
        self.hold = hold
        self.secrets = secrets
        self.lease = lease
        masked = secrets()
        mask = Mask(masked)
        room = max(0, limit - length)
        full = length >= limit
    }

    private var full: Bool
    private var failure: (any Error)?

    /// A line of Slipway's own.
    func say(_ sentence: String) async throws {
        try await write(Data("slipway: \(sentence)\n".utf8))
    }

    /// Output of a child process.
    ///
    /// - Throws: what storing an earlier chunk threw: `LeaseLost` or a `StoreError`.
    func write(_ output: Data) async throws {
        if let failure { throw failure }
        let secrets = secrets()
        if secrets != masked {
            masked = secrets
            mask.hide(secrets)
        }
        take(mask.feed(output))
        if waiting.count >= Self.chunk {
            try await flush()
        } else if scheduled == nil, !waiting.isEmpty {
            scheduled = Task {
                try? await Task.sleep(for: Self.delay)
                await self.flushScheduled()
            }
        }
    }

    /// Stores everything, also what could have been the beginning of a secret.
    func finish() async throws {
        take(mask.finish())
        scheduled?.cancel()
        try await flush()
        if let failure { throw failure }
    }

    /// What is not stored yet, to be stored together with the build's end: nothing is written after it.
    func rest() async throws -> Data {
        take(mask.finish())
        scheduled?.cancel()
        scheduled = nil
        try await flushing?.value
        if let failure { throw failure }
        try lease?.check("append")
        defer { waiting = Data() }
        return waiting
    }

    private func take(_ bytes: Data) {
        guard !full else { return }
        waiting.append(bytes.prefix(room))
        room -= min(room, bytes.count)
        if room == 0 {
            full = true
            waiting.append(
                Data(
                    "\nslipway: the log ends here: it holds \(Self.limit >> 20) MiB, and the rest of the output is dropped\n"
                        .utf8))
        }
    }

    private func flushScheduled() async {
        // It may have been cancelled in its last moment.
        guard scheduled != nil else { return }
        scheduled = nil
        do { try await flush() } catch { failure = error }
    }

    /// One chunk at a time, so that they stay in order: each flush begins when the one before has ended.
    private func flush() async throws {
        let previous = flushing
        let task = Task {
            try await previous?.value
            try await self.store()
        }
        flushing = task
        try await task.value
    }

    private func store() async throws {
        guard !waiting.isEmpty else { return }
        try lease?.check("append")
        let bytes = waiting
        waiting = Data()
        try await store.append(hold, log: bytes)
    }
}
