import Foundation
import Model

/// The steps of an attempt, and what becomes of those that were lost.
extension DatabaseStore {
    package func claim(limit: Int, worker: String, lease: Duration) async throws -> [Build] {
        try await write("claim") { try $0.claim(limit: limit, worker: worker, lease: lease) }
    }

    package func renew(_ hold: Hold, lease: Duration) async throws {
        try await write("renew") { try $0.renew(hold, lease: lease) }
    }

    package func resolve(_ hold: Hold, _ found: Resolution) async throws {
        try await change(hold, "resolve") { try $0.resolve(hold, found) }
    }

    package func inputs(_ hold: Hold, _ inputs: BuildInputs, reuse: String) async throws {
        try await change(hold, "inputs") { try $0.inputs(hold, inputs, reuse: reuse) }
    }

    package func startPushing(
        _ hold: Hold, commitTag: Tag, built: String?, reusing reused: Build.ID?
    ) async throws {
        try await change(hold, "startPushing") {
            try $0.startPushing(hold, commitTag: commitTag, built: built, reusing: reused)
        }
    }

    package func ownsCommitTag(_ hold: Hold, _ commitTag: Tag) async throws -> Bool {
        try await read("ownsCommitTag") { try $0.commitTagOwner(commitTag, of: hold.build) == hold.build }
    }

    package func freeCommitTag(_ commitTag: Tag, of build: Build.ID) async throws {
        try await write("freeCommitTag") { try $0.freeCommitTag(commitTag, of: build) }
    }

    package func pushed(_ hold: Hold, digest: Digest) async throws {
        try await change(hold, "pushed") { try $0.pushed(hold, digest: digest) }
    }

    package func startMoving(_ hold: Hold, tag: Tag) async throws -> MoveRight {
        try await write("startMoving") {
            try $0.lock(hold.build)
            return try $0.startMoving(hold, tag: tag)
        }
    }

    package func moved(_ hold: Hold, tag: Tag) async throws {
        try await change(hold, "moved") { try $0.moved(hold, tag: tag) }
    }

    package func kept(_ hold: Hold, tag: Tag, reason: String) async throws {
        try await change(hold, "kept") { try $0.kept(hold, tag: tag, reason: reason) }
    }

    package func finish(_ hold: Hold, log: Data) async throws {
        try await change(hold, "finish") { try $0.finish(hold, log: log) }
    }

    package func skip(_ hold: Hold, reason: String) async throws {
        try await change(hold, "skip") { try $0.skip(hold, reason: reason) }
    }

    package func fail(_ hold: Hold, _ failure: Failure) async throws {
        try await change(hold, "fail") { try $0.fail(hold, failure) }
    }

    package func retry(_ hold: Hold, _ failure: Failure, after pause: Duration) async throws {
        try await change(hold, "retry") {
            try $0.retry(hold, failure, after: pause)
            $0.tell([.pending])
        }
    }

    package func stop(_ hold: Hold) async throws {
        try await change(hold, "stop") { try $0.stop(hold) }
    }

    package func giveBack(_ hold: Hold) async throws {
        try await change(hold, "giveBack") {
            try $0.giveBack(hold)
            $0.tell([.pending])
        }
    }

    package func rescue(all: Bool, tries: Int) async throws -> [Build.ID] {
        try await write("rescue") { try $0.rescue(all: all, tries: tries) }
    }
}
