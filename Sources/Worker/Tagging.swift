import Checkout
import Foundation
import Model
import Platform
import Queue
import Registry

/// Moves a rule's tags to a build's image; nothing else moves a tag.
struct Tagging: Sendable {
    let build: Build
    let commit: CommitID
    let manifest: Manifest
    let mirror: Mirror
    let tools: Tools
    let output: LogWriter

    /// - Throws: `Failure` of stage `tag` where the registry fails.
    func move(_ tags: [Tag]) async throws {
        for tag in tags {
            let holder = try await right(to: tag)
            if let reason = try await reasonToKeep(tag, holder) {
                try await output.say("\(tag) stays: \(reason)")
                try await tools.store.kept(build.hold, tag: tag, reason: reason)
            } else {
                try await put(tag)
                try await tools.store.moved(build.hold, tag: tag)
                try await output.say("\(tag) -> \(manifest.digest)")
            }
        }
    }

    /// Waits until no other build is moving the tag.
    private func right(to tag: Tag) async throws -> TagHolder? {
        while true {
            switch try await tools.store.startMoving(build.hold, tag: tag) {
            case .granted(let holder):
                return holder
            case .busy(let other):
                var changes = tools.store.changes(.build(other)).makeAsyncIterator()
                // Asked again once the change is listened for, so that none is missed in between.
                if case .granted(let holder) = try await tools.store.startMoving(build.hold, tag: tag) { return holder }
                await changes.next()
                try Task.checkCancellation()
            }
        }
    }

    /// Why the tag must not move here, or nil: a tag never goes back to an older commit.
    private func reasonToKeep(_ tag: Tag, _ holder: TagHolder?) async throws -> String? {
        guard let holder, holder.build != build.id else { return nil }
        let theirs = "build \(holder.build) (\(holder.commit.prefix(12)))"
        if holder.commit != commit {
            if try await isAncestor(commit, of: holder.commit) {
                return "it is at \(theirs), whose commit came after \(commit.prefix(12))"
            }
            if try await isAncestor(holder.commit, of: commit) { return nil }
        }
        // The same commit, or two lines of history: what was accepted later wins.
        return holder.build > build.id ? "it is at \(theirs), which was accepted after build \(build.id)" : nil
    }

    private func isAncestor(_ older: CommitID, of newer: CommitID) async throws -> Bool {
        do {
            return try await mirror.isAncestor(older, of: newer) ?? false
        } catch let error as CheckoutError {
            throw Failure(.system, .tag, error.failure.message)
        }
    }

    private func put(_ tag: Tag) async throws {
        _ = try await tools.ask(.tag) { try await $0.put(manifest, as: tag, to: build.image) }
        let read = try await tools.ask(.tag) { try await $0.digest(of: build.image, tag: tag) }
        guard read == manifest.digest else {
            throw Failure(
                .system, .tag,
                "\(build.image):\(tag) was put to \(manifest.digest) but reads back as \(read?.text ?? "missing"); is someone else moving it?"
            )
        }
    }
}
