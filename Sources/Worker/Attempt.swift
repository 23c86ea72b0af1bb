import Checkout
import Engine
import Foundation
import Model
import Platform
import Queue
import Registry
import Settings

/// One try at a build: checkout → build → push → tag, each change of state stored as it happens.
struct Attempt: Sendable {
    let build: Build
    let engine: any Engine
    let tools: Tools
    let output: LogWriter

    private var store: any Store { tools.store }
    private var hold: Hold { build.hold }

    /// Takes the build to `finished`, or to `cancelled` where there is nothing to build.
    ///
    /// - Throws: `Failure` where it is to end `failed`; `LeaseLost`, `CancellationError` or a `StoreError` where this
    ///   attempt has no more say.
    func run() async throws {
        guard let repository = tools.settings[build.repository] else {
            throw Failure(
                .build, .checkout, "repository \(build.repository) is no longer in the settings; put it back and retry")
        }
        let workspace = try await made()
        do {
            try await run(repository, workspace)
        } catch {
            await remove(workspace)
            throw error
        }
        await remove(workspace)
    }

    private func run(_ repository: Repository, _ workspace: Workspaces.Workspace) async throws {
        let mirror = tools.mirrors.mirror(
            for: build.repository, source: repository.source, credentials: repository.credentials)
        let commit = try await fetch(repository, mirror)
        let found = try resolution(commit)
        let names = found.names
        let choosing = Choosing(build: build, commit: commit, mirror: mirror, store: store, output: output)
        // An attempt that got so far as to push has chosen.
        if try await !beganToPush(names.commitTag), let reason = try await choosing.reasonToSkip() {
            return try await skip(found, reason)
        }
        let image = try await checkOut(found, repository, mirror, workspace)
        let pushed = try await push(image, names, workspace)
        try await Tagging(
            build: build, commit: pushed.commit, manifest: pushed.manifest, mirror: mirror, tools: tools, output: output
        )
        .move(names.tags)
        try await output.say("finished: \(build.image)@\(pushed.manifest.digest)")
        try await output.finish()
        try await store.finish(hold)
        tools.log.info("finished", ["build": build.id])
    }

    private func skip(_ found: Resolution, _ reason: String) async throws {
        try await store.resolve(hold, found)
        try await output.say("skipped: \(reason)")
        try await output.finish()
        try await store.skip(hold, reason: reason)
        tools.log.info("cancelled", ["build": build.id, "reason": reason])
    }

    // MARK: Checkout

    private func made() async throws -> Workspaces.Workspace {
        do {
            return try await tools.workspaces.make(for: hold)
        } catch {
            throw Failure(.system, .checkout, "the workspace could not be made under \(tools.settings.data): \(error)")
        }
    }

    private func remove(_ workspace: Workspaces.Workspace) async {
        do {
            try await tools.workspaces.remove(workspace)
        } catch {
            tools.log.error("a workspace could not be removed", ["path": workspace.directory, "error": error])
        }
    }

    private func fetch(_ repository: Repository, _ mirror: Mirror) async throws -> CommitInfo {
        let wanted = build.commit.map { " at \($0.prefix(12))" } ?? ""
        try await output.say("fetching \(build.ref)\(wanted) from \(repository.source)")
        do {
            return try await mirror.fetch(build.ref, commit: build.commit)
        } catch let error as CheckoutError {
            throw error.failure
        }
    }

    private func resolution(_ commit: CommitInfo) throws -> Resolution {
        do {
            let names = try build.rule.names(
                for: build.ref, captures: build.captures, commit: commit.id, acceptedAt: build.createdAt)
            return Resolution(
                commit: commit.id, message: build.message ?? commit.message, author: build.author ?? commit.author,
                names: names)
        } catch {
            throw Failure(.build, .checkout, "\(error)")
        }
    }

    /// The commit's tree in the workspace, and what the engine is to make of it.
    private func checkOut(
        _ found: Resolution, _ repository: Repository, _ mirror: Mirror, _ workspace: Workspaces.Workspace
    ) async throws -> ImageBuild {
        do {
            try await mirror.checkOut(found.commit, into: workspace.tree)
        } catch let error as CheckoutError {
            throw error.failure
        }
        try await store.resolve(hold, found)
        try await output.say(
            "checked out \(found.commit.prefix(12)): \(found.message.split(separator: "\n").first ?? "")")
        let paths: BuildPaths
        do {
            paths = try BuildPaths.resolve(rule: build.rule, workspace: workspace.tree)
        } catch let error as CheckoutError {
            throw error.failure
        }
        let image = ImageBuild(
            workspace: workspace.tree, dockerfile: paths.dockerfile, context: paths.context,
            reference: "\(build.image):\(found.names.commitTag)", buildArgs: build.rule.buildArgs,
            target: build.rule.target, cache: build.rule.cache, labels: labels(repository, found.commit),
            logins: try await logins(),
            insecureRegistries: Set(tools.settings.registries.filter(\.value.insecure).keys),
            limits: build.rule.limits)
        try await output.say("building \(paths.dockerfileShown) in \(paths.contextShown) with \(engine.name)")
        return image
    }

    /// Keys of the OCI image spec, "Pre-Defined Annotation Keys".
    private func labels(_ repository: Repository, _ commit: CommitID) -> [String: String] {
        let prefix = "org.opencontainers.image."
        return [
            prefix + "revision": commit.text,
            prefix + "source": repository.source.text,
            prefix + "created": Timestamp.text(tools.time.now),
            prefix + "ref.name": build.ref.name,
            prefix + "version": build.ref.tag.flatMap { Version(tag: $0)?.text } ?? build.ref.name,
        ]
    }

    /// What the engine may need: the registry that is pushed to, and those that base images may come from.
    private func logins() async throws -> [String: Login] {
        var logins: [String: Login] = [:]
        for host in Set(tools.settings.registries.keys).union([build.image.registry, ImageName.dockerHub]) {
            logins[host] = try await tools.ask(.build) { try await $0.login(for: host) }
        }
        return logins
    }

    // MARK: Build and push

    private func push(
        _ image: ImageBuild, _ names: Rule.Names, _ workspace: Workspaces.Workspace
    ) async throws -> (commit: CommitID, manifest: Manifest) {
        if let manifest = try await pushedBefore(names.commitTag) {
            try await output.say("an earlier attempt pushed \(image.reference) already")
            try await store.startPushing(hold, commitTag: names.commitTag)
            return try await read(manifest)
        }
        var image = image
        var commitTag = names.commitTag
        try await engineBuild(image, workspace)
        do {
            try await store.startPushing(hold, commitTag: commitTag)
        } catch let taken as CommitTagTaken {
            // A commit tag names one image for ever: this one gets a name of its own, out of the engine's cache.
            commitTag = try Tag("\(commitTag.text.prefix(100))-\(build.id)")
            image.reference = "\(build.image):\(commitTag)"
            image.cache = true
            try await output.say("\(names.commitTag) is the image of build \(taken.by); this one is \(commitTag)")
            try await engineBuild(image, workspace)
            try await store.startPushing(hold, commitTag: commitTag)
        }
        try await output.say("pushing \(image.reference)")
        try await engine.push(image, scratch: workspace.scratch) { try await output.write($0) }
        let found = try await tools.ask(.push) { [commitTag] in try await $0.manifest(of: build.image, tag: commitTag) }
        guard let manifest = found else {
            throw Failure(
                .system, .push, "\(build.image.registry) took \(image.reference) but does not know it; retry the build")
        }
        return try await read(manifest)
    }

    /// The image that an attempt of this build pushed before it was lost: built again it would be another, and a commit
    /// tag names one for ever.
    private func pushedBefore(_ commitTag: Tag) async throws -> Manifest? {
        guard try await beganToPush(commitTag) else { return nil }
        return try await tools.ask(.push) { try await $0.manifest(of: build.image, tag: commitTag) }
    }

    /// Whether an earlier attempt of this build did.
    private func beganToPush(_ commitTag: Tag) async throws -> Bool {
        guard build.attempt > 1 else { return false }
        return try await store.ownsCommitTag(hold, commitTag)
    }

    /// Notes the manifest that was read back.
    private func read(_ manifest: Manifest) async throws -> (commit: CommitID, manifest: Manifest) {
        try await store.pushed(hold, digest: manifest.digest)
        guard let commit = try await store.build(build.id)?.commit else { throw LeaseLost(hold, "push") }
        return (commit, manifest)
    }

    private func engineBuild(_ image: ImageBuild, _ workspace: Workspaces.Workspace) async throws {
        try await engine.build(image, scratch: workspace.scratch) { try await output.write($0) }
    }
}
