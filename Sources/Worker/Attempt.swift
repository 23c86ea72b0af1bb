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

    var store: any Store { tools.store }
    var hold: Hold { build.hold }

    /// Takes the build to `finished`, or to `cancelled` where there is nothing to build.
    ///
    /// - Throws: `Failure` where it failed; `CancellationError` where it is to end, as the store tells; `LeaseLost` or a
    ///   `StoreError` where this attempt has no more say.
    func run() async throws {
        guard let repository = tools.settings[build.repository] else {
            throw Failure(
                .build, .checkout, "repository \(build.repository) is no longer in the settings; put it back and retry")
        }
        let mirror = tools.mirrors.mirror(
            for: build.repository, source: repository.source, credentials: repository.credentials)
        if try await resume(mirror, { try await conclude($0, mirror) }) { return }
        let commit = try await fetch(repository, mirror)
        let found = try resolution(commit)
        let older = try await compare(commit.id, mirror)
        let choosing = Choosing(build: build, commit: commit, mirror: mirror, store: store, output: output)
        // An attempt that got so far as to push has chosen.
        if try await !beganToPush(build.commitTag ?? found.names.commitTag),
            let reason = try await choosing.reasonToSkip()
        {
            return try await skip(found, reason)
        }
        if !older.isEmpty { try await store.supersede(older, by: build.id) }
        if !isNoted(found) { try await store.resolve(hold, found) }
        try await make(found, repository, mirror) { try await conclude($0, mirror) }
    }

    /// Gives the image its tags, and ends the build.
    private func conclude(_ pushed: Pushed, _ mirror: Mirror) async throws {
        try await Tagging(
            build: build, commit: pushed.commit, manifest: pushed.manifest, mirror: mirror, tools: tools, output: output
        )
        .move(pushed.tags)
        try await output.say("finished: \(build.image)@\(pushed.manifest.digest)")
        try await store.finish(hold, log: output.rest())
        tools.log.info("finished", ["build": build.id])
    }

    private func skip(_ found: Resolution, _ reason: String) async throws {
        try await store.resolve(hold, found)
        try await output.say("skipped: \(reason)")
        try await output.finish()
        try await store.skip(hold, reason: reason)
        tools.log.info("cancelled", ["build": build.id, "reason": reason])
    }

    func fetch(_ repository: Repository, _ mirror: Mirror) async throws -> CommitInfo {
        let wanted = build.commit.map { " at \($0.prefix(12))" } ?? ""
        try await output.say("fetching \(build.ref)\(wanted) from \(repository.source)")
        do {
            return try await mirror.fetch(build.ref, commit: build.commit)
        } catch let error as CheckoutError {
            if case .commitMissing = error, let later = try await Rivals.successor(ofVanished: build, store: store) {
                try await giveWay(to: later)
            }
            throw error.failure
        }
    }

    /// Ends here where a newer push was told of.
    ///
    /// - Returns: the builds whose place this one takes, if it is built.
    func compare(_ commit: CommitID, _ mirror: Mirror) async throws -> [Build.ID] {
        let rivals = try await Rivals(of: build, at: commit, mirror: mirror, store: store)
        if let successor = rivals.successor { try await giveWay(to: successor) }
        return rivals.older
    }

    private func giveWay(to successor: Build.ID) async throws {
        if try await store.giveWay(hold, to: successor) { throw CancellationError() }
    }

    /// Whether the checkout found what the push had told: then there is nothing to write.
    private func isNoted(_ found: Resolution) -> Bool {
        build.commit == found.commit && build.message == found.message && build.author == found.author
            && build.commitTag == found.names.commitTag && build.tags.map(\.name) == found.names.tags
    }

    func resolution(_ commit: CommitInfo) throws -> Resolution {
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

    // MARK: Engine

    /// Has the engine make the image and push it.
    ///
    /// - Parameter conclude: takes the build to its end, while the workspace is removed.
    func engineMade(
        _ plan: Plan, _ repository: Repository, _ mirror: Mirror, _ conclude: @Sendable (Pushed) async throws -> Void
    ) async throws {
        // What others may take it by is known once it is built.
        var unsettled = plan
        unsettled.inputs.key = nil
        try await inWorkspace { [unsettled] workspace in
            async let noted: Void = note(unsettled)
            let image = try await checkOut(plan, repository, mirror, workspace)
            try await noted
            return try await push(image, plan, as: plan.found.names.commitTag, workspace)
        } then: {
            try await conclude($0)
        }
    }

    /// With a folder of this attempt's own, which is removed while what follows goes on.
    func inWorkspace<Value: Sendable, End: Sendable>(
        _ body: (Workspaces.Workspace) async throws -> Value, then conclude: (Value) async throws -> End
    ) async throws -> End {
        let workspace: Workspaces.Workspace
        do {
            workspace = try await tools.workspaces.make(for: hold)
        } catch {
            throw Failure(.system, .checkout, "the workspace could not be made under \(tools.settings.data): \(error)")
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body(workspace)) } catch { result = .failure(error) }
        async let removed: Void = remove(workspace)
        let end: Result<End, any Error>
        do { end = .success(try await conclude(result.get())) } catch { end = .failure(error) }
        await removed
        return try end.get()
    }

    private func remove(_ workspace: Workspaces.Workspace) async {
        do {
            try await tools.workspaces.remove(workspace)
        } catch {
            tools.log.error("a workspace could not be removed", ["path": workspace.directory, "error": error])
        }
    }

    /// What an engine needs of the commit's tree, in the workspace, and what it is to make of it.
    private func checkOut(
        _ plan: Plan, _ repository: Repository, _ mirror: Mirror, _ workspace: Workspaces.Workspace
    ) async throws -> ImageBuild {
        let found = plan.found
        let paths: BuildPaths
        do {
            try await mirror.checkOut(found.commit, into: workspace.tree, only: plan.paths)
            try await output.say(
                "checked out \(found.commit.prefix(12)): \(found.message.split(separator: "\n").first ?? "")")
            paths = try BuildPaths.resolve(rule: build.rule, workspace: workspace.tree)
        } catch let error as CheckoutError {
            throw error.failure
        }
        var image = try await image(found.names.commitTag, workspace)
        image.dockerfile = paths.dockerfile
        image.context = paths.context
        image.buildArgs = build.rule.buildArgs
        image.target = build.rule.target
        image.cache = build.rule.cache && !build.isFresh
        image.labels = labels(repository, found.commit)
        image.limits = build.rule.limits
        try await setCaches(of: &image, found.names)
        try await output.say("building \(paths.dockerfileShown) in \(paths.contextShown) with \(engine.name)")
        return image
    }

    /// What a push needs to know.
    func image(_ commitTag: Tag, _ workspace: Workspaces.Workspace) async throws -> ImageBuild {
        ImageBuild(
            workspace: workspace.tree, dockerfile: workspace.tree, context: workspace.tree,
            reference: "\(build.image):\(commitTag)", idFile: workspace.scratch + "/image", logins: try await logins(),
            insecureRegistries: Set(tools.settings.registries.filter(\.value.insecure).keys))
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
}
