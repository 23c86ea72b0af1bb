import Foundation
import Model
import Platform

/// Buildah, or podman, which builds with buildah's code: no daemon, the images in the user's own storage.
struct BuildahEngine: Engine {
    enum Program: String {
        case buildah, podman
    }

    let builder: Program
    let program: String
    let environment: BuilderEnvironment
    let version: String
    let isolation: Isolation
    let remoteCache: RemoteCache

    var kind: BuilderKind { builder == .buildah ? .buildah : .podman }
    var name: String { "\(builder.rawValue) \(version)" + (isolation == .chroot ? ", chroot isolation" : "") }

    func build(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {
        try require(build.limits)
        try await withoutCacheIfRefused(build, output) { build in
            try await withinLimits(build, scratch, output)
        }
    }

    private func withinLimits(
        _ build: ImageBuild, _ scratch: String, _ output: (Data) async throws -> Void
    ) async throws {
        guard let limits = ControlGroup.Limits(build.limits) else {
            return try await self.build(build, in: nil, scratch, output)
        }
        do {
            try await ControlGroup.use(limits) { try await self.build(build, in: $0, scratch, output) }
        } catch let refused as ControlGroup.Refused {
            throw Failure(.build, .build, "the rule's limits can't be held: \(refused)")
        }
    }

    func refusal(of limits: Rule.Limits) -> String? {
        if limits.network == .none && isolation == .chroot {
            return """
                the rule asks for network: none, but \(name), lets RUN steps use the machine's network; install runc, or \
                crun where only version 2 of control groups is mounted, or set engine: docker
                """
        }
        if isolation == .standard, ControlGroup.Limits(limits) != nil, !ControlGroup.isUnified {
            return """
                the rule limits \(limits.names[0]), which the runtime of \(name), would leave behind on a machine with \
                version 1 of control groups; install runc, and leave BUILDAH_ISOLATION unset or chroot
                """
        }
        return nil
    }

    private func build(
        _ build: ImageBuild, in group: ControlGroup?, _ scratch: String, _ output: (Data) async throws -> Void
    ) async throws {
        let run = BuilderRun(stage: .build, builder: name, build: build)
        try await inConfiguration(build, scratch, stage: .build) { folder, variables in
            // Docker's image format: the one in which ONBUILD, SHELL and HEALTHCHECK are kept.
            let arguments =
                try global(folder) + cgroupManager(group) + [
                    builder == .buildah ? "bud" : "build", "--layers", "--force-rm", "--format", "docker",
                ]
                + isolation.options(of: builder) + cgroupParent(group) + ["--authfile", folder.path + "/auth.json"]
                + caches(of: build) + (try options(of: build, folder)) + [build.context]
            do {
                try await run(ChildProcess(program, arguments, environment: variables, group: group), output: output)
            } catch {
                // A builder that was killed could not remove its containers; uncancelled, the task being at its end.
                await Task {
                    _ = await withDeadline(Self.clearing) {
                        await removeContainers { $0 == folder.path + "/" + Self.mountsFile }
                    }
                }.value
                throw error
            }
        }
    }

    /// Where a runtime that makes groups of its own is to make them.
    private func cgroupParent(_ group: ControlGroup?) -> [String] {
        guard isolation != .chroot, let path = group?.path else { return [] }
        return ["--cgroup-parent", path + "/run"]
    }

    /// Podman would ask systemd for a scope, and leave the group for it.
    private func cgroupManager(_ group: ControlGroup?) -> [String] {
        builder == .podman && group != nil ? ["--cgroup-manager", "cgroupfs"] : []
    }

    private func options(of build: ImageBuild, _ folder: PrivateFolder) throws -> [String] {
        var dockerfile = build.dockerfile
        if dockerfile.hasSuffix(".in") {
            // By that name it would go through cpp first, whose #include reads any file of the machine.
            try folder.write(Data(contentsOf: URL(fileURLWithPath: dockerfile)), to: "Dockerfile")
            dockerfile = folder.path + "/Dockerfile"
        }
        guard let labels = LabelStep(build) else { return build.options(files: [dockerfile]) }
        let file = folder.path + "/labels"
        try folder.write(Data(labels.instruction.utf8), to: "labels")
        return build.options(files: [dockerfile, file], labels: false)
    }

    /// Nothing for buildah, which asks the registry for a newer one with each build. Podman takes what it has.
    func refresh(
        _ image: ImageReference, for build: ImageBuild, scratch: String, output: (Data) async throws -> Void
    ) async throws {
        guard builder == .podman, await self.image(image.text) != nil else { return }
        let run = BuilderRun(stage: .build, builder: name, build: build)
        try await inConfiguration(build, scratch, stage: run.stage) { folder, variables in
            let arguments = ["pull", "--authfile", folder.path + "/auth.json", image.text]
            try await run(ChildProcess(program, arguments, environment: variables), output: output)
        }
    }

    func image(_ reference: String) async -> String? {
        await environment.image(reference, program)
    }

    func push(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {
        let run = BuilderRun(stage: .push, builder: name, build: build)
        try await inConfiguration(build, scratch, stage: .push) { folder, variables in
            let arguments = [
                "push", "--authfile", folder.path + "/auth.json", build.reference, "docker://" + build.reference,
            ]
            try await run(ChildProcess(program, arguments, environment: variables), output: output)
        }
    }

    private func inConfiguration(
        _ build: ImageBuild, _ scratch: String, stage: Failure.Stage,
        _ body: (PrivateFolder, [String: String]) async throws -> Void
    ) async throws {
        try await PrivateFolder.use(in: scratch, stage: stage) { folder in
            try folder.write(Credentials.file(build.logins), to: "auth.json")
            let registries = RegistriesConfiguration(environment, insecure: build.insecureRegistries)
            try folder.write(Data(registries.text.utf8), to: "registries.conf")
            var variables = environment.variables
            variables["CONTAINERS_REGISTRIES_CONF"] = folder.path + "/registries.conf"
            // What a builder that is killed leaves there goes with the attempt's folder.
            variables["TMPDIR"] = folder.path
            try await body(folder, variables)
        }
    }

    /// Options that stand before the command.
    private func global(_ folder: PrivateFolder) throws -> [String] {
        // Both note this path in each container that they make: so a killed build's containers are found.
        let standard = environment.firstFile(["/etc/containers/mounts.conf", "/usr/share/containers/mounts.conf"])
        try folder.write(Data((standard ?? "").utf8), to: Self.mountsFile)
        return isolation.globalOptions(of: builder) + ["--default-mounts-file", folder.path + "/" + Self.mountsFile]
    }

    /// How long a killed build's containers may take to be removed; what is left over is found at the next start.
    private static let clearing: Duration = .seconds(20)

    static let mountsFile = "slipway-mounts-\(getpid()).conf"
}

extension ControlGroup.Limits {
    /// - Returns: nil where there is nothing that a group is needed for.
    init?(_ limits: Rule.Limits) {
        self.init(memory: limits.memory, cpus: limits.cpus, processes: limits.processes)
        if self == Self() { return nil }
    }
}
