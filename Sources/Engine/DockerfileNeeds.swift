import Model

/// What a Dockerfile takes from elsewhere than its context.
package struct DockerfileNeeds: Sendable, Equatable {
    /// Images of registries, each once, in the order in which they are named; `latest` where neither tag nor digest is.
    package var images: [ImageReference] = []
    /// Those of them that stages are built on: they may hand instructions on (ONBUILD).
    package var parents: [ImageReference] = []
    /// The build arguments that the image depends on, with their values: those that are given and asked for.
    package var arguments: [String: String] = [:]
    /// What can't be known, in words; empty where all is.
    package var doubts: [String] = []

    /// Builders take these without an ARG.
    private static let predefined: Set<String> = DockerfileVariables.ofPlatforms.union([
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy",
        "ALL_PROXY", "all_proxy", "SOURCE_DATE_EPOCH",
    ])

    /// - Parameters:
    ///   - buildArgs: that are given.
    ///   - target: the stage that is built; nil is the last.
    package init(_ dockerfile: String, buildArgs: [String: String], target: String?, engine: BuilderKind) {
        let names = engine == .buildah || engine == .podman ? ShortNames.ofThisMachine : ShortNames([])
        self.init(dockerfile, buildArgs: buildArgs, target: target, engine: engine, shortNames: names)
    }

    init(
        _ dockerfile: String, buildArgs: [String: String], target: String?, engine: BuilderKind, shortNames: ShortNames
    ) {
        doubts = Dockerfile.ambiguities(dockerfile)
        let file = Dockerfile(dockerfile)
        var reader = DockerfileReader(
            file, buildArgs: buildArgs, target: target, engine: engine, shortNames: shortNames)
        reader.read(file)
        for image in reader.images where !images.contains(image) { images.append(image) }
        for image in reader.parents where !parents.contains(image) { parents.append(image) }
        for doubt in reader.doubts where !doubts.contains(doubt) { doubts.append(doubt) }
        arguments = buildArgs.filter { name, _ in
            reader.declared.contains(name) || Self.predefined.contains(name) || name.hasPrefix("BUILDKIT_")
        }
    }
}
