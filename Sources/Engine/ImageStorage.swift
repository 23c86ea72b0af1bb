/// What a builder keeps between builds, to be looked at and made smaller; an engine may have it.
///
/// All may be called at once and beside builds. Each throws where the builder fails, with a sentence for people.
package protocol ImageStorage: Sendable {
    /// Whether builds that run meanwhile never miss what is removed.
    var prunesBesideBuilds: Bool { get }

    /// The folder on this machine; nil where the images are kept on another, as by a daemon elsewhere.
    func folder() async throws -> String?

    /// The names of all images, whoever made them: `registry.example.com/acme/shop:sha-0123456789ab`.
    func names() async throws -> Set<String>

    /// Takes a name from its image, which goes with its last name; an image that a container uses keeps it.
    func remove(_ name: String) async throws

    /// Removes the cache of builds, the oldest first, until it takes up no more than `bytes`.
    ///
    /// - Parameter isQuiet: is asked before each step; false ends it.
    func pruneCache(to bytes: Int, while isQuiet: @Sendable () async throws -> Bool) async throws
}
