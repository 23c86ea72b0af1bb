/// Which branches or tags build what. A build keeps the rule as it was when the push was accepted.
package struct Rule: Sendable, Codable, Equatable {
    package enum Source: Sendable, Codable, Equatable {
        case branch(Pattern)
        case tag(Pattern)
        /// The branch that the repository's HEAD names: the rule of a repository without `rules`.
        case defaultBranch
    }

    /// By what a rule for Git tags decides which of two builds a movable name is to point at.
    package enum Order: String, Sendable, Codable, CaseIterable {
        /// The greater version; a release before any prerelease.
        case version
        /// The newer commit, as for branches.
        case commit
    }

    /// The rule's place in the settings, from 1.
    package var number: Int
    package var source: Source
    /// The movable names that the image gets.
    package var tags: [Template]
    /// The image's own permanent tag.
    package var commitTag: Template
    /// As written in the settings; nil is `Dockerfile`.
    package var dockerfile: String?
    /// As written in the settings; nil is the Dockerfile's directory, `/` the repository's root.
    package var context: String?
    package var buildArgs: [String: String]
    /// The stage of a multi-stage Dockerfile to build; nil is the last.
    package var target: String?
    /// Whether the engine may use what it kept of former builds.
    package var cache: Bool
    /// Whether the engine also keeps its cache in the registry, beside the image.
    package var registryCache: Bool
    /// Images whose layers the engine may take for its own, as written in the settings: `registry.example.com/acme/shop:main`.
    package var cacheFrom: [String]
    /// Whether the image of a build with the same inputs is taken instead of building it again.
    package var reuse: Bool
    /// How old an image may be to be taken again, in seconds; nil is any age.
    package var maxAge: Int?
    /// Whether an image is built again when one that it is built on moves.
    package var followsBase: Bool
    /// Whether pushes build by themselves; triggers always do.
    package var autobuild: Bool
    /// The longest time that an attempt may take, in seconds.
    package var timeout: Int
    /// A push to a branch builds only if it changed a file that one of them matches; empty is any file.
    package var paths: [Glob]
    /// Files whose changes alone build nothing.
    package var pathsIgnored: [Glob]
    /// Build arguments that a trigger may set.
    package var triggerBuildArgs: [String]
    package var order: Order
    /// Whether a newer push ends the build of an older one that runs already.
    package var cancelRunning: Bool
    package var limits: Limits
    /// The labels that a worker must have, in their order.
    package var runsOn: [String]

    package init(
        number: Int, source: Source, tags: [Template], commitTag: Template, dockerfile: String? = nil,
        context: String? = nil, buildArgs: [String: String] = [:], target: String? = nil, cache: Bool = true,
        registryCache: Bool = false, cacheFrom: [String] = [], reuse: Bool = true, maxAge: Int? = nil,
        followsBase: Bool = true,
        autobuild: Bool = true, timeout: Int = 3600, paths: [Glob] = [], pathsIgnored: [Glob] = [],
        triggerBuildArgs: [String] = [], order: Order = .version, cancelRunning: Bool = false,
        limits: Limits = Limits(),
        runsOn: [String] = []
    ) {
        self.number = number
        self.source = source
        self.tags = tags
        self.commitTag = commitTag
        self.dockerfile = dockerfile
        self.context = context
        self.buildArgs = buildArgs
        self.target = target
        self.cache = cache
        self.registryCache = registryCache
        self.cacheFrom = cacheFrom
        self.reuse = reuse
        self.maxAge = maxAge
        self.followsBase = followsBase
        self.autobuild = autobuild
        self.timeout = timeout
        self.paths = paths
        self.pathsIgnored = pathsIgnored
        self.triggerBuildArgs = triggerBuildArgs
        self.order = order
        self.cancelRunning = cancelRunning
        self.limits = limits
        self.runsOn = runsOn
    }

    /// Builds of earlier versions kept rules without the newer keys.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        number = try container.decode(Int.self, forKey: .number)
        source = try container.decode(Source.self, forKey: .source)
        tags = try container.decode([Template].self, forKey: .tags)
        commitTag = try container.decode(Template.self, forKey: .commitTag)
        dockerfile = try container.decodeIfPresent(String.self, forKey: .dockerfile)
        context = try container.decodeIfPresent(String.self, forKey: .context)
        buildArgs = try container.decode([String: String].self, forKey: .buildArgs)
        target = try container.decodeIfPresent(String.self, forKey: .target)
        cache = try container.decode(Bool.self, forKey: .cache)
        registryCache = try container.decodeIfPresent(Bool.self, forKey: .registryCache) ?? false
        cacheFrom = try container.decodeIfPresent([String].self, forKey: .cacheFrom) ?? []
        reuse = try container.decodeIfPresent(Bool.self, forKey: .reuse) ?? true
        maxAge = try container.decodeIfPresent(Int.self, forKey: .maxAge)
        followsBase = try container.decodeIfPresent(Bool.self, forKey: .followsBase) ?? true
        autobuild = try container.decode(Bool.self, forKey: .autobuild)
        timeout = try container.decode(Int.self, forKey: .timeout)
        paths = try container.decodeIfPresent([Glob].self, forKey: .paths) ?? []
        pathsIgnored = try container.decodeIfPresent([Glob].self, forKey: .pathsIgnored) ?? []
        triggerBuildArgs = try container.decodeIfPresent([String].self, forKey: .triggerBuildArgs) ?? []
        order = try container.decodeIfPresent(Order.self, forKey: .order) ?? .version
        cancelRunning = try container.decodeIfPresent(Bool.self, forKey: .cancelRunning) ?? false
        limits = try container.decodeIfPresent(Limits.self, forKey: .limits) ?? Limits()
        runsOn = try container.decodeIfPresent([String].self, forKey: .runsOn) ?? []
    }
}
