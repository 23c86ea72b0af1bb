/// The image builders, as far as they read a Dockerfile and its context differently.
package enum BuilderKind: String, Sendable, Codable, CaseIterable {
    case buildKit = "buildkit"
    /// docker's builder without BuildKit.
    case classic
    case buildah, podman
}
