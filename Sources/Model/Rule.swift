/// Which branches or tags build what. A build keeps the rule as it was when the push was accepted.
package struct Rule: Sendable, Codable, Equatable {
    package enum Source: Sendable, Codable, Equatable {
        case branch(Pattern)
        case tag(Pattern)
        /// The branch that the repository's HEAD names: the rule of a repository without `rules`.
        case defaultBranch
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
    package var cache: Bool
    /// Whether pushes build by themselves; triggers always do.
    package var autobuild: Bool
    /// The longest time that an attempt may take, in seconds.
    package var timeout: Int

    package init(
        number: Int, source: Source, tags: [Template], commitTag: Template, dockerfile: String? = nil,
        context: String? = nil, buildArgs: [String: String] = [:], target: String? = nil, cache: Bool = true,
        autobuild: Bool = true, timeout: Int = 3600
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
        self.autobuild = autobuild
        self.timeout = timeout
    }
}
