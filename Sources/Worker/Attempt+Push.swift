import Checkout
import Engine
import Foundation
import Model
import Queue
import Registry

extension Attempt {
    /// What the registry has under the commit tag.
    struct Pushed {
        let commit: CommitID
        let manifest: Manifest
        /// The movable names that it is to get.
        let tags: [Tag]
    }

    // MARK: After an earlier attempt

    /// Goes on where an earlier attempt failed or was lost: built again the image would be another, and take its time.
    ///
    /// - Parameter conclude: takes the build to its end.
    /// - Returns: false where no image of it is left.
    func resume(_ mirror: Mirror, _ conclude: (Pushed) async throws -> Void) async throws -> Bool {
        guard build.attempt > 1, let commit = build.commit, let commitTag = build.commitTag else { return false }
        if try await beganToPush(commitTag), let manifest = try await pushedManifest(commitTag) {
            _ = try await compare(commit, mirror)
            try await output.say("an earlier attempt pushed \(build.image):\(commitTag) already")
            try await startPushing(commitTag, reusing: build.reused)
            try await conclude(read(manifest))
            return true
        }
        guard let built = build.built else { return false }
        return try await inWorkspace { workspace -> Pushed? in
            let image = try await image(commitTag, workspace)
            return try await tools.turns.use(image.reference) {
                guard await engine.image(image.reference) == built else { return nil }
                _ = try await compare(commit, mirror)
                do {
                    try await startPushing(commitTag)
                } catch is CommitTagTaken {
                    return nil
                }
                try await output.say("an earlier attempt built \(image.reference) already")
                return try await push(image, commitTag, workspace)
            }
        } then: { pushed in
            guard let pushed else { return false }
            try await conclude(pushed)
            return true
        }
    }

    private func pushedManifest(_ commitTag: Tag) async throws -> Manifest? {
        try await tools.ask(.push) { registry in
            do {
                return try await registry.manifest(of: build.image, tag: commitTag)
            } catch RegistryError.status(_, 500, _, _) where build.tries > Self.faultsOfOneManifest {
                // A registry that was killed while it took the manifest says so for ever; a push puts that right.
                return nil
            }
        }
    }

    /// So often a registry may fail with a manifest that was pushed before that is pushed anew.
    private static let faultsOfOneManifest = 2

    /// Whether an earlier attempt of this build did: then what the registry has under the tag is this build's.
    func beganToPush(_ commitTag: Tag) async throws -> Bool {
        guard build.attempt > 1 else { return false }
        return try await store.ownsCommitTag(hold, commitTag)
    }

    // MARK: Build and push

    func push(
        _ image: ImageBuild, _ plan: Plan, as commitTag: Tag, _ workspace: Workspaces.Workspace
    ) async throws -> Pushed {
        do {
            return try await tools.turns.use(image.reference) {
                let built = try await engineBuild(image, plan, workspace)
                async let settled: Void = settle(plan)
                // Whatever becomes of the push, the image may be pushed yet.
                let pushed: Result<Pushed, any Error>
                do {
                    try await startPushing(commitTag, built: built)
                    pushed = .success(try await push(image, commitTag, workspace))
                } catch {
                    pushed = .failure(error)
                }
                try await settled
                return try pushed.get()
            }
        } catch let taken as CommitTagTaken {
            let own = try await nameOfItsOwn(instead: commitTag, taken)
            var image = image
            image.reference = "\(build.image):\(own)"
            // Out of the engine's cache.
            image.cache = true
            return try await push(image, plan, as: own, workspace)
        }
    }

    /// A commit tag names one image for ever: this one gets a name of its own. A rule may make that name too, so it need
    /// not be free.
    ///
    /// - Throws: `CommitTagTaken` where it is the very one that is taken.
    func nameOfItsOwn(instead commitTag: Tag, _ taken: CommitTagTaken) async throws -> Tag {
        let own = try Tag("\(commitTag.text.prefix(100))-b\(build.id)")
        guard own != commitTag else { throw taken }
        try await output.say("\(commitTag) is the image of build \(taken.by); this one is \(own)")
        return own
    }

    /// `building` → `pushing`. A build that was ended in the middle of its push may have got there or not: its commit tag
    /// is free where the registry has nothing under it.
    func startPushing(_ commitTag: Tag, built: String? = nil, reusing reused: Build.ID? = nil) async throws {
        do {
            try await store.startPushing(hold, commitTag: commitTag, built: built, reusing: reused)
        } catch let taken as CommitTagTaken {
            guard let owner = try await store.build(taken.by), owner.state.isEnd, owner.digest == nil,
                try await pushedManifest(commitTag) == nil
            else { throw taken }
            try await store.freeCommitTag(commitTag, of: owner.id)
            try await store.startPushing(hold, commitTag: commitTag, built: built, reusing: reused)
        }
    }

    private func push(
        _ image: ImageBuild, _ commitTag: Tag, _ workspace: Workspaces.Workspace
    ) async throws -> Pushed {
        try await output.say("pushing \(image.reference)")
        try tools.lease?.check("push")
        try await engine.push(image, scratch: workspace.scratch) { try await output.write($0) }
        let found = try await tools.ask(.push) { try await $0.manifest(of: build.image, tag: commitTag) }
        guard let manifest = found else {
            throw Failure(
                .system, .push, "\(build.image.registry) took \(image.reference) but does not know it; look at its log")
        }
        return try await read(manifest)
    }

    /// Notes the manifest that was read back.
    func read(_ manifest: Manifest) async throws -> Pushed {
        try await store.pushed(hold, digest: manifest.digest)
        guard let now = try await store.build(build.id), let commit = now.commit else {
            throw LeaseLost(hold, "push")
        }
        return Pushed(commit: commit, manifest: manifest, tags: now.tags.map(\.name))
    }

    /// - Returns: what the engine calls the image.
    private func engineBuild(
        _ image: ImageBuild, _ plan: Plan, _ workspace: Workspaces.Workspace
    ) async throws -> String? {
        try await refresh(plan.inputs.bases, for: image, workspace)
        try tools.lease?.check("build")
        try await engine.build(image, scratch: workspace.scratch) { try await output.write($0) }
        let id = try image.idFile.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return id?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
