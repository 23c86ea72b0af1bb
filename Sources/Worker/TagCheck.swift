import Foundation
import Model
import Platform
import Queue
import Registry

/// One look of the sweep at one tag.
struct TagCheck: Sendable {
    let tag: TagPlace
    /// What attempts sent that had no more right to.
    var sent: Set<Digest> = []
    let tools: Tools

    private var name: String { "\(tag.image):\(tag.name)" }
    private var store: any Store { tools.store }
    private var registry: RegistryClient { tools.registry }

    /// - Throws: `RegistryError`; `StoreError`; `CancellationError`.
    func run() async throws {
        if try await registry.digest(of: tag.image, tag: tag.name) == tag.holder.digest {
            return try await isRight()
        }
        // It may be a build that moves it just now: what differs is looked at again when none does.
        guard let holder = try await store.startRepair(tag.name, of: tag.image, for: Sweeper.right.held) else { return }
        do {
            // A move that was under way has ended; where it was one, `tag` tells of the past.
            if holder == tag.holder { try await bounded { try await self.compare() } }
        } catch {
            try await store.endRepair(tag.name, of: tag.image)
            throw error
        }
        try await store.endRepair(tag.name, of: tag.image)
    }

    /// Nothing is sent any more when a build may move the tag again.
    private func bounded(_ compare: @escaping @Sendable () async throws -> Void) async throws {
        let ended: Void? = try await withDeadline(Sweeper.right.used, compare)
        if ended == nil {
            tools.log.warning(
                "a tag could not be put right in time; the next sweep tries again",
                ["tag": name, "seconds": Int(Sweeper.right.used.seconds)])
        }
    }

    /// With the sole right to the tag.
    private func compare() async throws {
        let found = try await registry.digest(of: tag.image, tag: tag.name)
        if found == tag.holder.digest { return try await isRight() }
        let theirs =
            if let found { try await store.build(of: found, in: tag.image, tag: tag.name) } else { nil as Build? }
        if let found, theirs == nil, !sent.contains(found) {
            return try await note(found, "somebody else moved a tag; the next build that may moves it on")
        }
        if let theirs, try await isNewer(theirs) {
            // An attempt that was lost had put it there before it could note so: it must not go back.
            try await store.adopt(tag.name, of: tag.image, by: theirs.id)
            return tools.log.warning(
                "a tag is at a newer build than was noted",
                ["tag": name, "build": theirs.id, "noted": tag.holder.build])
        }
        guard tools.settings.sweep.repairs else {
            return try await note(found, "a tag is not where it was put; the settings say only to report it")
        }
        guard let manifest = try await registry.manifest(of: tag.image, digest: tag.holder.digest) else {
            return try await note(found, "a tag can't be put right: the registry lost its manifest; build it again")
        }
        do {
            _ = try await registry.put(manifest, as: tag.name, to: tag.image)
        } catch {
            // It may arrive yet, when a build has moved the tag.
            tools.suspects.add([Suspect(image: tag.image, name: tag.name, digest: manifest.digest)])
            throw error
        }
        let read = try await registry.digest(of: tag.image, tag: tag.name)
        guard read == tag.holder.digest else {
            return try await note(read, "a tag was put right, but reads back as another")
        }
        try await store.found(nil, at: tag)
        tools.log.warning(
            "a tag was put right",
            ["tag": name, "build": tag.holder.build, "found": found?.text ?? "nothing", "digest": tag.holder.digest])
    }

    /// Whether the build would move the tag from where it is noted to be.
    private func isNewer(_ build: Build) async throws -> Bool {
        guard build.tags.contains(where: { $0.name == tag.name }), let commit = build.commit,
            let repository = tools.settings[build.repository]
        else { return false }
        let mirror = tools.mirrors.mirror(
            for: build.repository, source: repository.source, credentials: repository.credentials)
        let order = TagOrder(build: build, commit: commit, mirror: mirror, store: store)
        return try await order.reasonToKeep(tag.name, at: tag.holder) == nil
    }

    private func isRight() async throws {
        guard tag.found != nil else { return }
        try await store.found(nil, at: tag)
        tools.log.info("a tag is again where it was put", ["tag": name, "build": tag.holder.build])
    }

    /// Once, not at every sweep.
    private func note(_ found: Digest?, _ sentence: String) async throws {
        if let known = tag.found, known.digest == found { return }
        try await store.found(FoundTag(digest: found, since: store.now()), at: tag)
        tools.log.warning(
            sentence,
            [
                "tag": name, "build": tag.holder.build, "found": found?.text ?? "nothing",
                "digest": tag.holder.digest,
            ])
    }
}
