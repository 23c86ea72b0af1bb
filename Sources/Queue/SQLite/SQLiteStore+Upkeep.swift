import Foundation
import Model
import Platform

/// What others than a build's worker ask for.
extension SQLiteStore {
    package func supersede(_ builds: [Build.ID], by successor: Build.ID) async throws {
        let changed = try await writer.write("supersede") { [time] in
            try $0.supersede(builds, by: successor, now: time.now)
        }
        bell.ring(changed.map { .build($0) })
    }

    package func giveWay(_ hold: Hold, to successor: Build.ID) async throws -> Bool {
        let ends = try await writer.write("giveWay") { try $0.giveWay(hold, to: successor) }
        bell.ring([.build(hold.build)])
        return ends
    }

    package func rivals(of build: Build) async throws -> [Build] {
        try await reader.read("rivals") { try $0.rivals(of: build) }
    }

    package func nextDue() async throws -> Date? {
        try await reader.read("nextDue") { [time] in try $0.nextDue(now: time.now) }
    }

    package func cancel(_ id: Build.ID, reason: String) async throws -> Build? {
        let build = try await writer.write("cancel") { [time] in try $0.cancel(id, reason: reason, now: time.now) }
        bell.ring([.build(id)])
        return build
    }

    // MARK: Pause

    package func pause(_ pause: Pause) async throws {
        try await writer.write("pause") { try $0.pause(pause) }
        bell.ring([.pending])
    }

    package func resume() async throws -> Pause? {
        let pause = try await writer.write("resume") { try $0.resume() }
        bell.ring([.pending])
        return pause
    }

    package func paused() async throws -> Pause? {
        try await reader.read("paused") { try $0.paused() }
    }

    // MARK: Poll and sweep

    package func seenRefs(_ repository: RepositoryName) async throws -> [RefName: CommitID]? {
        try await reader.read("seenRefs") { try $0.seenRefs(repository) }
    }

    package func saw(_ refs: [RefName: CommitID], in repository: RepositoryName) async throws {
        try await writer.write("saw") { try $0.saw(refs, in: repository) }
    }

    package func tags(after place: TagPlace?, limit: Int) async throws -> [TagPlace] {
        try await reader.read("tags") { try $0.tags(after: place, limit: limit) }
    }

    package func tags(of image: ImageName) async throws -> [TagPlace] {
        try await reader.read("tags") { try $0.tags(of: image) }
    }

    package func found(_ other: FoundTag?, at tag: TagPlace) async throws {
        try await writer.write("found") { try $0.found(other, at: tag) }
    }

    package func build(of digest: Digest, in image: ImageName, tag: Tag?) async throws -> Build? {
        try await reader.read("build") { try $0.build(of: digest, in: image, tag: tag) }
    }

    package func startRepair(_ name: Tag, of image: ImageName, for limit: Duration) async throws -> TagHolder? {
        try await writer.write("startRepair") { [time] in
            let now = time.now
            return try $0.startRepair(name, of: image, until: now.addingTimeInterval(limit.seconds), now: now)
        }
    }

    package func endRepair(_ name: Tag, of image: ImageName) async throws {
        try await writer.write("endRepair") { try $0.endRepair(name, of: image) }
    }

    package func adopt(_ name: Tag, of image: ImageName, by build: Build.ID) async throws {
        try await writer.write("adopt") { [time] in try $0.adopt(name, of: image, by: build, now: time.now) }
    }

    package func basesInUse() async throws -> [BaseInUse] {
        try await reader.read("basesInUse") { try $0.basesInUse() }
    }

    // MARK: Retention

    package func prune(_ keep: Keep, limit: Int) async throws -> Pruned {
        try await writer.write("prune") { [time] in try $0.prune(keep, limit: limit, now: time.now) }
    }

    package func backup(to path: String) async throws {
        _ = try await Self.backup(of: writer.path, to: path)
    }

    /// Copies a database as it is at one moment to a new file, whether another process has it open or none, and reads
    /// the copy through once.
    ///
    /// - Returns: how many builds the copy holds.
    package static func backup(of database: String, to path: String) async throws -> Int {
        try await reading(database) { try await $0.copy(to: path) }
        return try await reading(path) { try await $0.checkCopy() }
    }

    private static func reading<Result: Sendable>(
        _ path: String, _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        let connection = Connection(path: path, label: "slipway.store.backup")
        do {
            try await connection.openReader()
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}
