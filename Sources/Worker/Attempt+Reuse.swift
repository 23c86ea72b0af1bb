import Checkout
import Foundation
import Model
import Queue
import Registry
import Settings

extension Attempt {
    /// Whether there is another build's image to take.
    enum Former {
        case found(Build, Manifest)
        /// Why not, in words.
        case none(String)
    }

    /// Takes the image of a build with the same inputs, or has the engine make one.
    ///
    /// Of builds with the same inputs one at a time is with the engine: the next one takes its image.
    ///
    /// - Parameter conclude: takes the build to its end; until then none can take its image.
    func make(
        _ found: Resolution, _ repository: Repository, _ mirror: Mirror,
        _ conclude: @escaping @Sendable (Pushed) async throws -> Void
    ) async throws {
        let plan = try await plan(found, mirror)
        @Sendable func make(because reuse: String) async throws {
            try await output.say("an image is built: \(reuse)")
            var plan = plan
            plan.reuse = reuse
            try await engineMade(plan, repository, mirror, conclude)
        }
        if let reason = reasonToBuild { return try await make(because: reason) }
        guard let key = plan.inputs.key else { return try await make(because: plan.inputs.doubt ?? "it has no key") }
        if case .found(let former, let manifest) = try await former(key) {
            return try await take(former, manifest, plan, conclude)
        }
        let name = "\(build.image) \(key)"
        if await tools.turns.isInUse(name) {
            try await output.say("waiting for another build with the same inputs")
        }
        try await tools.turns.use(name) {
            switch try await former(key) {
            case .found(let former, let manifest): try await take(former, manifest, plan, conclude)
            case .none(let reason): try await make(because: reason)
            }
        }
    }

    /// Why the image is built whatever others there are, or nil.
    var reasonToBuild: String? {
        if build.isFresh { return "asked for with --no-cache" }
        if !build.rule.cache { return "cache: false in the rule" }
        if !build.rule.reuse { return "reuse: false in the rule" }
        return nil
    }

    /// The newest build with the same inputs, where the registry still has its image.
    ///
    /// - Throws: `Failure` where the registry can't be asked now: an image could not be pushed there either.
    func former(_ key: Digest) async throws -> Former {
        let age = build.rule.maxAge.map { Duration.seconds($0) }
        guard let former = try await store.reusable(key, in: build.image, within: age), let digest = former.digest
        else {
            if age != nil, let old = try await store.reusable(key, in: build.image, within: nil) {
                return .none("the image of build \(old.id) is older than max_age")
            }
            return .none("no build of \(build.image) had these inputs")
        }
        // As the registry may have the manifest still, but not its layers.
        if build.reused == former.id, build.tries > 1 {
            return .none("an earlier attempt could not take the image of build \(former.id)")
        }
        return try await tools.ask(.push) { registry in
            do {
                guard let manifest = try await registry.manifest(of: build.image, digest: digest) else {
                    return .none("the image of build \(former.id) is no longer in the registry")
                }
                return .found(former, manifest)
            } catch let error as RegistryError where !error.isTransient {
                return .none("the image of build \(former.id) can't be taken: \(error)")
            }
        }
    }

    /// Puts the commit tag on another build's image.
    private func take(
        _ former: Build, _ manifest: Manifest, _ plan: Plan,
        _ conclude: @escaping @Sendable (Pushed) async throws -> Void
    ) async throws {
        let commit = former.commit.map { " (commit \($0.prefix(7)))" } ?? ""
        try await output.say("nothing changed since build \(former.id)\(commit): its image is taken")
        var plan = plan
        plan.reuse = "its inputs are those of build \(former.id)"
        try await note(plan)
        try await put(manifest, of: former, as: plan.found.names.commitTag, conclude)
    }

    private func put(
        _ manifest: Manifest, of former: Build, as commitTag: Tag,
        _ conclude: @escaping @Sendable (Pushed) async throws -> Void
    ) async throws {
        do {
            // Where a build of the same commit takes the same image just now, the tag is both's once that has finished.
            try await tools.turns.use("\(build.image):\(commitTag)") {
                try await startPushing(commitTag, reusing: former.id)
                _ = try await tools.ask(.push) { try await $0.put(manifest, as: commitTag, to: build.image) }
                let read = try await tools.ask(.push) { try await $0.digest(of: build.image, tag: commitTag) }
                guard read == manifest.digest else {
                    throw Failure(
                        .system, .push,
                        "\(build.image):\(commitTag) was put to \(manifest.digest) but reads back as \(read?.text ?? "missing"); is someone else moving it?"
                    )
                }
                try await conclude(self.read(manifest))
            }
        } catch let taken as CommitTagTaken {
            try await put(manifest, of: former, as: nameOfItsOwn(instead: commitTag, taken), conclude)
        }
    }
}
