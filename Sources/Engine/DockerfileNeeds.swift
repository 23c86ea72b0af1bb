import Model

/// What a Dockerfile takes from elsewhere than its context.
package struct DockerfileNeeds: Sendable, Equatable {
    /// Images of registries, each once, in the order in which they are named.
    package var images: [ImageReference] = []
    /// The build arguments that the image depends on, with their values: those that are given and asked for.
    package var arguments: [String: String] = [:]
    /// What can't be known, in words; empty where all is.
    package var doubts: [String] = []

    /// - Parameters:
    ///   - buildArgs: that are given.
    ///   - target: the stage that is built; nil is the last.
    package init(_ dockerfile: String, buildArgs: [String: String], target: String?, engine: BuilderKind) {
        doubts = ["not read yet"]
    }
}
