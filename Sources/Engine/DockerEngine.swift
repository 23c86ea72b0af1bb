import Foundation
import Model
import Platform

/// Docker's command line with a daemon that answers; BuildKit where both have it, else the classic builder.
struct DockerEngine: Engine {
    let program: String
    let environment: BuilderEnvironment
    let buildKit: Bool
    let version: String
    /// The daemon's, which may be another machine's.
    let architecture: String
    /// The daemon's address, where a context of the operator's and not the environment named it.
    let host: String?

    var kind: BuilderKind { buildKit ? .buildKit : .classic }
    var platform: String { environment["DOCKER_DEFAULT_PLATFORM"] ?? "linux/\(architecture)" }
    var name: String { "docker \(version), \(buildKit ? "BuildKit" : "classic builder")" }

    func build(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {
        // The classic builder keeps the containers of failed and cancelled builds unless told otherwise.
        let style = buildKit ? ["--progress=plain"] : ["--force-rm"]
        try require(build.limits)
        let run = BuilderRun(stage: .build, builder: name, build: build)
        try await inConfiguration(build, scratch, stage: run.stage) { folder, variables in
            let arguments =
                ["build"] + style + limits(build.limits) + caches(of: build) + (try options(of: build, folder))
                + [build.context]
            try await run(ChildProcess(program, arguments, environment: variables), output: output)
        }
    }

    func refusal(of limits: Rule.Limits) -> String? {
        if let refusal = Engines.refusal(of: limits, by: .docker) { return refusal }
        guard buildKit, limits.memory != nil || limits.cpus != nil else { return nil }
        return """
            the rule limits \(limits.memory == nil ? "cpus" : "memory"), to which docker's BuildKit holds no build; \
            buildah and podman can (engine: buildah), and docker's classic builder (DOCKER_BUILDKIT=0 in the service's \
            environment)
            """
    }

    /// The classic builder's own, for the containers of RUN steps.
    private func limits(_ limits: Rule.Limits) -> [String] {
        var options: [String] = []
        if let memory = limits.memory { options += ["--memory", "\(memory)", "--memory-swap", "\(memory)"] }
        if let cpus = limits.cpus {
            options += ["--cpu-period", "100000", "--cpu-quota", "\(Int((cpus * 100_000).rounded()))"]
        }
        return options
    }

    private func options(of build: ImageBuild, _ folder: PrivateFolder) throws -> [String] {
        // A Dockerfile from elsewhere makes docker add a line to the context's .dockerignore, another in each build,
        // which no `COPY . .` would be found in the cache with.
        let ignores = FileManager.default.fileExists(atPath: build.context + "/.dockerignore")
        guard !buildKit, !ignores, let labels = LabelStep(build) else {
            return build.options(files: [build.dockerfile])
        }
        try folder.write(labels.whole, to: "Dockerfile")
        return build.options(files: [folder.path + "/Dockerfile"], labels: false)
    }

    func refresh(
        _ image: ImageReference, for build: ImageBuild, scratch: String, output: (Data) async throws -> Void
    ) async throws {
        // One that it does not have it takes from the registry with the build. `docker images` knows Docker Hub's only by
        // their short names.
        let question = ["image", "inspect", "--format", "{{.Id}}", image.text]
        let theirs = host.map { ["DOCKER_HOST": $0] } ?? [:]
        guard (try? await environment.ask(program, question, adding: theirs)) != nil else { return }
        let run = BuilderRun(stage: .build, builder: name, build: build)
        try await inConfiguration(build, scratch, stage: run.stage) { _, variables in
            try await run(ChildProcess(program, ["pull", image.text], environment: variables), output: output)
        }
    }

    func image(_ reference: String) async -> String? {
        await environment.image(reference, program, adding: host.map { ["DOCKER_HOST": $0] } ?? [:])
    }

    func push(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {
        let run = BuilderRun(stage: .push, builder: name, build: build)
        try await inConfiguration(build, scratch, stage: run.stage) { _, variables in
            try await run(ChildProcess(program, ["push", build.reference], environment: variables), output: output)
        }
    }

    /// Gives docker a configuration folder of this one run, with the build's logins only.
    private func inConfiguration(
        _ build: ImageBuild, _ scratch: String, stage: Failure.Stage,
        _ body: (PrivateFolder, [String: String]) async throws -> Void
    ) async throws {
        var configuration = operatorsSettings
        configuration["auths"] = Credentials.auths(build.logins)
        let text = try JSONSerialization.data(withJSONObject: configuration, options: [.sortedKeys])
        try await PrivateFolder.use(in: scratch, stage: stage) { folder in
            try folder.write(text, to: "config.json")
            var variables = environment.variables
            variables["DOCKER_CONFIG"] = folder.path
            variables["DOCKER_BUILDKIT"] = buildKit ? "1" : "0"
            if let host {
                variables["DOCKER_HOST"] = host
                variables["DOCKER_CONTEXT"] = nil
            }
            try await body(folder, variables)
        }
    }

    /// What has to be carried over from the operator's configuration because DOCKER_CONFIG replaces all of it.
    private var operatorsSettings: [String: Any] {
        let folder = environment["DOCKER_CONFIG"] ?? environment["HOME"].map { $0 + "/.docker" }
        guard let folder else { return [:] }
        var settings: [String: Any] = ["cliPluginsExtraDirs": [folder + "/cli-plugins"]]
        let text = environment.firstFile([folder + "/config.json"]) ?? "{}"
        let theirs = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
        settings["proxies"] = theirs["proxies"]
        if let more = theirs["cliPluginsExtraDirs"] as? [String] {
            settings["cliPluginsExtraDirs"] = [folder + "/cli-plugins"] + more
        }
        return settings
    }
}
