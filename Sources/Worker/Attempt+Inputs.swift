import Checkout
import Engine
import Foundation
import Model
import Queue

extension Attempt {
    /// What an image is to be made of.
    struct Plan: Sendable {
        let found: Resolution
        var inputs = BuildInputs()
        /// The images that stages are built on.
        var parents: [(image: ImageReference, digest: Digest)] = []
        /// What of the commit an engine needs; nil is everything.
        var paths: [String]?
        /// Why another build's image is taken or not, once that is decided.
        var reuse = ""

        init(_ found: Resolution) {
            self.found = found
        }
    }

    /// What the image of a commit is made of, as far as it can be known: whatever can't is a doubt.
    ///
    /// - Throws: `Failure` where a checkout would fail too.
    func plan(_ found: Resolution, _ mirror: Mirror) async throws -> Plan {
        var plan = Plan(found)
        let context: BuildContext.Known
        do {
            switch try await mirror.context(of: found.commit, for: build.rule, engine: engine.kind) {
            case .doubtful(let why):
                plan.inputs.doubt = why
                return plan
            case .known(let known):
                context = known
            }
        } catch let error as CheckoutError {
            throw error.failure
        }
        plan.paths = context.paths
        try await ask(context, &plan)
        return plan
    }

    private func ask(_ context: BuildContext.Known, _ plan: inout Plan) async throws {
        let needs = DockerfileNeeds(
            String(decoding: context.dockerfile, as: UTF8.self), buildArgs: build.rule.buildArgs,
            target: build.rule.target, engine: engine.kind)
        var key = InputKey(
            engine: engine.kind, dockerfile: context.dockerfile, context: context.digest, target: build.rule.target,
            arguments: needs.arguments, network: build.rule.limits.network, images: [])
        var doubts = needs.doubts
        if engine.platform != key.platform {
            doubts.append("\(engine.name) builds for \(engine.platform), which is not this machine's platform")
        }
        for (image, answer) in zip(needs.images, await tools.bases.answers(for: needs.images)) {
            switch answer {
            case .unknown(let why):
                doubts.append(why)
            case .digest(let digest):
                key.images.append((image, digest))
                if needs.parents.contains(image) { plan.parents.append((image, digest)) }
                guard image.digest == nil else { continue }
                plan.inputs.bases.append(
                    BaseImage(image: image.image, tag: try image.tag ?? Tag("latest"), digest: digest))
            }
        }
        if doubts.isEmpty {
            plan.inputs.key = try key.digest()
        } else {
            plan.inputs.doubt = doubts.joined(separator: "; ")
        }
    }

    /// Notes what was found out of the inputs.
    func note(_ plan: Plan) async throws {
        try await store.inputs(hold, plan.inputs, reuse: plan.reuse)
    }

    // MARK: Base images

    /// What is in doubt of what the images hand on to what is built on them: it could be anything that a Dockerfile can.
    private func doubtsOfTriggers(_ plan: Plan) async -> [String] {
        guard plan.inputs.key != nil else { return [] }
        return await withTaskGroup(of: String?.self) { group in
            for parent in plan.parents {
                group.addTask { await tools.bases.doubt(of: parent.image, at: parent.digest) }
            }
            return await group.reduce(into: []) { if let doubt = $1 { $0.append(doubt) } }
        }
    }

    /// Has the engine take those base images anew that are others than it last built on.
    func refresh(_ bases: [BaseImage], for image: ImageBuild, _ workspace: Workspaces.Workspace) async throws {
        for base in bases where !tools.takenBases.has(base) {
            try await engine.refresh(base.reference, for: image, scratch: workspace.scratch) {
                try await output.write($0)
            }
        }
    }

    /// Asks once more where the base images' tags point, now that the image is built: with one that moved meanwhile,
    /// nobody can tell on which the engine has built. Then notes by what others may take the image.
    func settle(_ plan: Plan) async throws {
        var plan = plan
        let bases = plan.inputs.bases
        let answers = await tools.bases.answers(for: bases.map(\.reference), anew: true)
        var doubts = await doubtsOfTriggers(plan)
        // Else who is to end would call the silence the registries'.
        try Task.checkCancellation()
        for (base, answer) in zip(bases, answers) {
            switch answer {
            case .digest(base.digest): tools.takenBases.took(base)
            case .digest: doubts.append("\(base.reference) moved while it was built")
            case .unknown(let why): doubts.append(why)
            }
        }
        guard plan.inputs.key != nil else { return }
        if !doubts.isEmpty {
            let doubt = doubts.joined(separator: "; ")
            (plan.inputs.key, plan.inputs.doubt, plan.reuse) = (nil, doubt, doubt)
            try await output.say("no other build takes this image: \(doubt)")
        }
        try await note(plan)
    }
}
