/// Where images go: a registry's host and a repository in it, without tag or digest.
///
/// Grammar: the `name` of github.com/distribution/reference; a first part with `.` or `:`, or `localhost`, is a host,
/// else the host is Docker Hub and a name of one part is in `library/`.
package struct ImageName: TextValue {
    /// `registry.example.com`, `localhost:5000`, `[::1]:5000`; Docker Hub is `docker.io`.
    package let registry: String
    /// `acme/shop`.
    package let path: String
    package var text: String { "\(registry)/\(path)" }

    package static let dockerHub = "docker.io"

    /// - Throws: `InvalidText` where the name breaks the grammar or carries a tag or digest.
    package init(_ text: String) throws(InvalidText) {
        func invalid(_ why: String) -> InvalidText {
            InvalidText("\"\(text.excerpt())\" can't be an image's name: \(why)")
        }
        if text.contains("://") { throw invalid("it begins with a scheme; write registry.example.com/name") }
        if text.contains("@") { throw invalid("it carries a digest; the digest comes from the build") }
        var parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if let last = parts.last, parts.count > 1 || !last.prefix(while: { $0 != ":" }).contains("."),
            last.contains(":"), !last.hasPrefix("[")
        {
            throw invalid("it carries a tag; tags come from the rules")
        }
        if parts.count > 1, let first = parts.first, Self.looksLikeHost(first) {
            guard Self.isHost(first) else { throw invalid("\"\(first)\" is not a host with an optional port") }
            registry =
                ["index.docker.io", "registry-1.docker.io"].contains(first.lowercased()) ? Self.dockerHub : first
            parts.removeFirst()
        } else {
            registry = Self.dockerHub
        }
        if registry == Self.dockerHub && parts.count == 1 { parts.insert("library", at: 0) }
        path = parts.joined(separator: "/")
        if let bad = parts.first(where: { !Self.isPathPart($0) }) {
            throw invalid(
                "\"\(bad)\" is not made of lower-case letters and digits, with single \".\", \"_\", \"__\" or \"-\" between"
            )
        }
        if text.utf8.count > 255 { throw invalid("it is longer than 255 characters") }
    }

    private static func looksLikeHost(_ part: String) -> Bool {
        part == "localhost" || part.contains(".") || part.contains(":") || part != part.lowercased()
    }

    private static func isHost(_ part: String) -> Bool {
        part.wholeMatch(
            of:
                /(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(:[0-9]{1,5})?/
        )
            != nil
    }

    private static func isPathPart(_ part: String) -> Bool {
        part.wholeMatch(of: /[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*/) != nil
    }
}
