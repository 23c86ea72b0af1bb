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

    /// A name or address, and perhaps a port.
    private static func isHost(_ part: String) -> Bool {
        var host = part.utf8[...]
        let close = host.lastIndex(of: UInt8(ascii: "]"))
        if let colon = host.lastIndex(of: UInt8(ascii: ":")), colon > close ?? part.startIndex {
            let port = host[host.index(after: colon)...]
            guard (1...5).contains(port.count), port.allSatisfy(\.isASCIIDigit) else { return false }
            host = host[..<colon]
        }
        if host.first == UInt8(ascii: "[") {
            let address = host.dropFirst().dropLast()
            return host.last == UInt8(ascii: "]") && !address.isEmpty
                && address.allSatisfy {
                    $0.isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20)
                        || $0 == UInt8(ascii: ":")
                }
        }
        return host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            label.first?.isASCIILetterOrDigit == true && label.last?.isASCIILetterOrDigit == true
                && label.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") }
        }
    }

    /// Letters and digits, with `.`, `_`, `__` or any number of `-` between them.
    private static func isPathPart(_ part: String) -> Bool {
        var separator: [UInt8] = []
        for byte in part.utf8 {
            if byte.isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) {
                separator = []
                continue
            }
            separator.append(byte)
            guard separator.allSatisfy({ $0 == byte }), part.utf8.first != byte else { return false }
            switch byte {
            case UInt8(ascii: "-"): break
            case UInt8(ascii: "."): if separator.count > 1 { return false }
            case UInt8(ascii: "_"): if separator.count > 2 { return false }
            default: return false
            }
        }
        return !part.isEmpty && separator.isEmpty
    }
}
