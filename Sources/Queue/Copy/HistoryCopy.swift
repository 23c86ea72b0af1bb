import Foundation
import Model
import Platform

/// Moves a whole history to another database, on a thread of its own.
///
/// The source is read as it is at one moment, a few rows at a time. Until all is there the target has a pause, so that
/// nobody builds what is there in part.
actor HistoryCopy {
    private let executor = QueueExecutor(label: "slipway.copy")
    private let progress: @Sendable (Copied) -> Void
    private var copied = Copied()

    init(progress: @escaping @Sendable (Copied) -> Void) { self.progress = progress }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Throws: `CopyError`, `StoreError`, `CancellationError`.
    func run(from: CopyPlace, to: CopyPlace) async throws -> Copied {
        guard try from.isThere() else { throw CopyError("there is no history to copy at \(from)") }
        let isNew = try !to.isThere()
        for place in [from, to] { try await place.migrate() }
        let (source, target) = (try from.connect(), try to.connect())
        try begin(source, target)
        do {
            try copy(source, target)
        } catch {
            guard isNew, case .sqlite(let path) = to else { throw error }
            // A part of a history would look like one.
            for end in ["", "-wal", "-shm"] { unlink(path + end) }
            throw error
        }
        return copied
    }

    private func begin(_ source: Database, _ target: Database) throws {
        _ = try source.transaction("copy", .readOnly) { try $0.expectIdle() }
        _ = try target.transaction("copy", .readWrite) { target in
            try target.expectIdle()
            try target.expectEmpty()
            let reason = "it is a part of the history of \(source.path), whose copying has not ended"
            try target.pause(Pause(since: target.now, by: Database.copier, reason: reason))
        }
    }

    private func copy(_ source: Database, _ target: Database) throws {
        _ = try source.transaction("copy", .readOnly) { source in
            // It waits for the target.
            try source.setLocally("idle_in_transaction_session_timeout", "0")
            let last = try source.lastNumbers()
            try target.relax(true)
            for table in HistoryTable.all { try copy(table, source, target) }
            let pause = try source.rows(of: .pause, after: nil)
            // Numbers are given outside of transactions, so that they tell what this one does not see.
            guard try source.lastNumbers() == last else {
                throw CopyError(
                    "\(source.path) was changed while it was copied, so \(target.path) is not whole: stop every \"slipway serve\" and \"slipway worker\" that uses it"
                )
            }
            try target.relax(false)
            _ = try target.transaction("copy", .readWrite) { target in
                try target.countPending()
                try target.go(on: last)
                try target.run("DELETE FROM pause")
                try target.insert(pause, into: .pause)
            }
        }
    }

    private func copy(_ table: HistoryTable, _ source: Database, _ target: Database) throws {
        var key: [any Storable]?
        while true {
            let rows = try source.rows(of: table, after: key)
            guard let last = rows.last else { return }
            key = table.key(of: last)
            _ = try target.transaction("copy", .readWrite) { target in
                try target.setLocally("synchronous_commit", "off")
                try target.insert(rows, into: table)
            }
            copied.add(rows, of: table)
            progress(copied)
        }
    }
}

/// How much was copied.
package struct Copied: Sendable, Equatable {
    package private(set) var deliveries = 0
    package private(set) var builds = 0
    /// Bytes of builds' logs.
    package private(set) var log = 0

    package init() {}

    fileprivate mutating func add(_ rows: [[any Storable]], of table: HistoryTable) {
        switch table.name {
        case "deliveries": deliveries += rows.count
        case "builds": builds += rows.count
        case "log_chunks": log += rows.reduce(0) { $0 + table.bytes(of: $1) }
        default: break
        }
    }
}

extension DatabaseStore {
    /// Copies a whole history to a database that is empty or not there yet. Nobody may use either meanwhile.
    ///
    /// - Parameter progress: is told again and again how much there is.
    /// - Throws: `CopyError` where one of them is in use or the target is not empty; `StoreError`.
    package static func copy(
        from: CopyPlace, to: CopyPlace, progress: @escaping @Sendable (Copied) -> Void = { _ in }
    ) async throws -> Copied {
        guard from != to else { throw CopyError("\(from) can't be copied onto itself") }
        let locks = try Set([from, to].compactMap(\.directory)).sorted().map { directory in
            do {
                return try DataLock(directory: directory)
            } catch {
                throw CopyError("\(error); what it writes while the history is copied would be missing in the copy")
            }
        }
        defer { withExtendedLifetime(locks) {} }
        return try await HistoryCopy(progress: progress).run(from: from, to: to)
    }
}
