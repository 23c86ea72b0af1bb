import Foundation
import Model
import Platform

/// What others than a build's worker ask for.
extension DatabaseStore {
    package func supersede(_ builds: [Build.ID], by successor: Build.ID) async throws {
        try await write("supersede") { $0.tell(stopOf: try $0.supersede(builds, by: successor)) }
    }

    package func giveWay(_ hold: Hold, to successor: Build.ID) async throws -> Bool {
        try await write("giveWay") {
            $0.tell([.build(hold.build)])
            return try $0.giveWay(hold, to: successor)
        }
    }

    package func rivals(of build: Build) async throws -> [Build] {
        try await read("rivals") { try $0.rivals(of: build) }
    }

    package func nextDue(for worker: String) async throws -> Duration? {
        try await read("nextDue") { try $0.nextDue(for: worker) }
    }

    package func cancel(_ id: Build.ID, reason: String) async throws -> Build? {
        try await write("cancel") {
            $0.tell(stopOf: [id])
            return try $0.cancel(id, reason: reason)
        }
    }

    // MARK: Pause

    package func pause(_ pause: Pause) async throws {
        try await write("pause") {
            try $0.pause(pause)
            $0.tell([.pending])
        }
    }

    package func resume() async throws -> Pause? {
        try await write("resume") {
            $0.tell([.pending])
            return try $0.resume()
        }
    }

    package func paused() async throws -> Pause? {
        try await read("paused") { try $0.paused() }
    }

    // MARK: Poll and sweep

    package func seenRefs(_ repository: RepositoryName) async throws -> [RefName: CommitID]? {
        try await read("seenRefs") { try $0.seenRefs(repository) }
    }

    package func saw(_ refs: [RefName: CommitID], in repository: RepositoryName) async throws {
        try await write("saw") { try $0.saw(refs, in: repository) }
    }

    package func tags(after place: TagPlace?, limit: Int) async throws -> [TagPlace] {
        try await read("tags") { try $0.tags(after: place, limit: limit) }
    }

    package func tags(of image: ImageName) async throws -> [TagPlace] {
        try await read("tags") { try $0.tags(of: image) }
    }

    package func found(_ other: FoundTag?, at tag: TagPlace) async throws {
        try await write("found") { try $0.found(other, at: tag) }
    }

    package func build(of digest: Digest, in image: ImageName, tag: Tag?) async throws -> Build? {
        try await read("build") { try $0.build(of: digest, in: image, tag: tag) }
    }

    package func startRepair(_ name: Tag, of image: ImageName, for limit: Duration) async throws -> TagHolder? {
        try await write("startRepair") { try $0.startRepair(name, of: image, for: limit) }
    }

    package func endRepair(_ name: Tag, of image: ImageName) async throws {
        try await write("endRepair") { try $0.endRepair(name, of: image) }
    }

    package func adopt(_ name: Tag, of image: ImageName, by build: Build.ID) async throws {
        try await write("adopt") { try $0.adopt(name, of: image, by: build) }
    }

    package func basesInUse() async throws -> [BaseInUse] {
        try await read("basesInUse") { try $0.basesInUse() }
    }

    // MARK: Retention

    package func prune(_ keep: Keep, limit: Int) async throws -> Pruned {
        try await write("prune") { try $0.prune(keep, limit: limit) }
    }
}
