import Checkout
import Foundation
import Model
import Platform
import Queue
import Registry

/// Moves a rule's tags to a build's image; but for the sweep, nothing else moves a tag.
struct Tagging: Sendable {
    let build: Build
    let commit: CommitID
    let manifest: Manifest
    let mirror: Mirror
    let tools: Tools
    let output: LogWriter

    /// How long another build that moves the same tag is waited for before it is asked again.
    static let patience = Duration.seconds(2)

    /// So many tags are moved at once.
    static let width = 4

    /// Moves every tag that may move; one that fails does not keep the others from being tried.
    ///
    /// - Throws: `Failure` of stage `tag`, which names the tags that are left.
    func move(_ tags: [Tag]) async throws {
        let failures = try await withThrowingTaskGroup(of: (Int, Failure?).self) { group in
            var failures: [Int: Failure] = [:]
            for (index, tag) in tags.enumerated() {
                if index >= Self.width, let (index, failure) = try await group.next() { failures[index] = failure }
                group.addTask { (index, try await failure(of: tag, alone: tags.count == 1)) }
            }
            for try await (index, failure) in group { failures[index] = failure }
            return failures
        }
        let left = failures.sorted { $0.key < $1.key }.map { (tag: tags[$0.key], failure: $0.value) }
        guard let first = left.first?.failure else { return }
        guard tags.count > 1 else { throw first }
        let names = left.map(\.tag.text).joined(separator: ", ")
        throw Failure(
            .system, .tag, "\(left.count) of \(tags.count) tags are left (\(names)): \(first.message)",
            retryAfter: left.compactMap(\.failure.retryAfter).max())
    }

    /// Why a tag is left, or nil where it was moved or is to stay.
    private func failure(of tag: Tag, alone: Bool) async throws -> Failure? {
        do {
            try await move(tag)
            return nil
        } catch let failure as Failure where failure.kind == .system {
            if !alone { try await output.say("\(tag) is left: \(failure.message)") }
            return failure
        }
    }

    private func move(_ tag: Tag) async throws {
        let holder = try await right(to: tag)
        async let asked = digest(of: tag)
        let order = TagOrder(build: build, commit: commit, mirror: mirror, store: tools.store)
        var reason = try await order.reasonToKeep(tag, at: holder)
        let there = try await asked
        if reason == nil { reason = try await reasonToKeep(tag, by: order, notedAt: holder, there) }
        if let reason {
            try await output.say("\(tag) stays: \(reason)")
            try await tools.store.kept(build.hold, tag: tag, reason: reason)
            return
        }
        if there == manifest.digest {
            try await tools.store.moved(build.hold, tag: tag)
        } else {
            try await put(tag)
        }
        try await output.say("\(tag) -> \(manifest.digest)")
        tools.moved.add([ImageReference(image: build.image, tag: tag)])
    }

    /// Why the tag must not move here from where an attempt put it that did not live to note so.
    private func reasonToKeep(
        _ tag: Tag, by order: TagOrder, notedAt holder: TagHolder?, _ there: Digest?
    ) async throws -> String? {
        guard let there, there != holder?.digest, there != manifest.digest,
            let other = try await tools.store.build(of: there, in: build.image, tag: tag), let theirs = other.commit,
            other.tags.contains(where: { $0.name == tag })
        else { return nil }
        return try await order.reasonToKeep(tag, at: TagHolder(build: other.id, commit: theirs, digest: there))
    }

    /// Waits until no other build is moving the tag.
    private func right(to tag: Tag) async throws -> TagHolder? {
        while true {
            switch try await tools.store.startMoving(build.hold, tag: tag) {
            case .granted(let holder):
                return holder
            case .busy(let other):
                let changes = tools.store.changes(.build(other))
                // Asked again once the change is listened for, so that none is missed in between.
                if case .granted(let holder) = try await tools.store.startMoving(build.hold, tag: tag) { return holder }
                // At the latest after a while: a right also ends where nobody tells of it.
                _ = await withDeadline(Self.patience) {
                    for await _ in changes { break }
                }
                try Task.checkCancellation()
            }
        }
    }

    private func digest(of tag: Tag) async throws -> Digest? {
        try await tools.ask(.tag) { try await $0.digest(of: build.image, tag: tag) }
    }

    /// Lets the tag point at the image, reads it back, and notes it.
    private func put(_ tag: Tag) async throws {
        do {
            _ = try await tools.ask(.tag) { registry in
                // Before each request anew, as there was a wait: an attempt that lost its lease has no more say.
                guard case .granted = try await tools.store.startMoving(build.hold, tag: tag) else {
                    throw LeaseLost(build.hold, "move \(tag)")
                }
                return try await registry.put(manifest, as: tag, to: build.image)
            }
            let read = try await digest(of: tag)
            guard read == manifest.digest else {
                throw Failure(
                    .system, .tag,
                    "\(build.image):\(tag) was put to \(manifest.digest) but reads back as \(read?.text ?? "missing"); is someone else moving it?"
                )
            }
            try await tools.store.moved(build.hold, tag: tag)
        } catch {
            // What was sent may have arrived, or arrive yet, when the tag is another build's to move.
            tools.suspects.add([Suspect(image: build.image, name: tag, digest: manifest.digest)])
            throw error
        }
    }
}
