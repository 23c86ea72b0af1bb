import Foundation
import Model

/// An image builder of this machine, run as a child process.
///
/// `push` follows a `build` that returned, with the same values, or another process's `build` of which `image` tells
/// that its image is still there; then only reference, logins and insecure registries count. Several builds may run at
/// once. Both end with the task and leave no process behind; `CancellationError` is thrown then.
package protocol Engine: Sendable {
    var kind: BuilderKind { get }

    /// For people: `docker 20.10.24, BuildKit`.
    var name: String { get }

    /// What it builds for where a Dockerfile does not say: `linux/amd64`.
    var platform: String { get }

    /// Why the builder can't hold builds to such limits, and what can; nil where it can.
    ///
    /// Whether the machine lets it is seen when a build begins.
    func refusal(of limits: Rule.Limits) -> String?

    /// Which of a rule's `cache: registry` and `cache_from` the builder can't use, and why; nil where it uses what there is.
    ///
    /// - Parameter image: of the rule's repository.
    func uselessCaches(of rule: Rule, image: ImageName) -> String?

    /// Builds the image and keeps it under its reference in the builder's own storage.
    ///
    /// - Parameters:
    ///   - scratch: an existing folder of this attempt for temporary credentials; what is put there is gone afterwards.
    ///   - output: gets what the builder says as it comes; an error thrown here ends the build.
    /// - Throws: `Failure` of stage `build`: kind `build` where the Dockerfile is at fault, else `system`.
    func build(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws

    /// Has the builder take an image from its registry anew, where it would else build on the one that it has.
    ///
    /// - Parameter image: with its tag.
    /// - Throws: `Failure` of stage `build`, kind `system`.
    func refresh(
        _ image: ImageReference, for build: ImageBuild, scratch: String, output: (Data) async throws -> Void
    ) async throws

    /// The id of the image that the builder has under a reference now; nil where it has none, or can't tell.
    func image(_ reference: String) async -> String?

    /// Pushes the image to the registry of its reference.
    ///
    /// - Throws: `Failure` of stage `push`, kind `system`.
    func push(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws
}

extension Engine {
    package var platform: String { Engines.platform }

    package func refusal(of limits: Rule.Limits) -> String? { nil }

    package func uselessCaches(of rule: Rule, image: ImageName) -> String? { nil }

    /// A limit that would not hold is an error of the rule, never left out.
    ///
    /// - Throws: `Failure` of kind `build`.
    func require(_ limits: Rule.Limits) throws {
        if let refusal = refusal(of: limits) { throw Failure(.build, .build, refusal) }
    }
}

/// One image to build and push.
package struct ImageBuild: Sendable {
    /// The checked-out repository, an absolute path; Dockerfiles are shown relative to it.
    package var workspace: String
    /// Absolute paths.
    package var dockerfile: String
    package var context: String
    /// `registry.example.com/acme/shop:sha-0123456789ab`.
    package var reference: String
    /// Where the builder writes the image's id, the one that `image` tells; nil for nowhere.
    package var idFile: String?
    package var buildArgs: [String: String]
    package var target: String?
    /// Whether the builder may use what it kept of former builds.
    package var cache: Bool
    /// Where in the registry a builder keeps its cache that needs a place of its own; nil where none is to be kept there.
    package var registryCache: ImageName?
    /// Images whose layers it may take for its own.
    package var cacheFrom: [ImageReference]
    package var labels: [String: String]
    /// By the registry's host as in image names, Docker Hub as `docker.io`; for base images and for the push.
    package var logins: [String: Login]
    /// Hosts that are spoken to in plain HTTP.
    package var insecureRegistries: Set<String>
    package var limits: Rule.Limits

    package init(
        workspace: String, dockerfile: String, context: String, reference: String, idFile: String? = nil,
        buildArgs: [String: String] = [:], target: String? = nil, cache: Bool = true, registryCache: ImageName? = nil,
        cacheFrom: [ImageReference] = [],
        labels: [String: String] = [:], logins: [String: Login] = [:],
        insecureRegistries: Set<String> = [], limits: Rule.Limits = Rule.Limits()
    ) {
        self.workspace = workspace
        self.dockerfile = dockerfile
        self.context = context
        self.reference = reference
        self.idFile = idFile
        self.buildArgs = buildArgs
        self.target = target
        self.cache = cache
        self.registryCache = registryCache
        self.cacheFrom = cacheFrom
        self.labels = labels
        self.logins = logins
        self.insecureRegistries = insecureRegistries
        self.limits = limits
    }

    /// The options that docker, buildah and podman have in common, in an order that does not change.
    ///
    /// - Parameters:
    ///   - files: Dockerfiles, of which buildah and podman take several as one.
    ///   - labels: whether the labels are among the options.
    func options(files: [String], labels: Bool = true) -> [String] {
        var options = files.flatMap { ["--file", $0] } + ["--tag", reference]
        for (name, value) in buildArgs.sorted(by: { $0.key < $1.key }) {
            options += ["--build-arg", "\(name)=\(value)"]
        }
        if let idFile { options += ["--iidfile", idFile] }
        if let target { options += ["--target", target] }
        if !cache { options.append("--no-cache") }
        if limits.network == .none { options += ["--network", "none"] }
        guard labels else { return options }
        for (name, value) in self.labels.sorted(by: { $0.key < $1.key }) { options += ["--label", "\(name)=\(value)"] }
        return options
    }
}
