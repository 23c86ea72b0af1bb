/// What the settings and the API call a repository: `<namespace>/<name>`.
package struct RepositoryName: TextValue, Comparable {
    package let namespace: String
    package let name: String
    package var text: String { "\(namespace)/\(name)" }

    /// - Throws: `InvalidText` unless `text` is two parts of letters, digits, `.`, `_`, `-`, joined by one slash.
    package init(_ text: String) throws(InvalidText) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy(Self.isPart) else {
            throw InvalidText(
                "\"\(text.excerpt())\" is not a repository's name: <namespace>/<name> of letters, digits, \".\", \"_\" and \"-\" is"
            )
        }
        namespace = parts[0]
        name = parts[1]
    }

    private static func isPart(_ part: String) -> Bool {
        // "." and ".." would be a folder's own or its parent's name where mirrors are kept.
        !part.isEmpty && part.utf8.count <= 100 && part != "." && part != ".."
            && part.utf8.allSatisfy { $0.isASCIILetterOrDigit || "._-".utf8.contains($0) }
    }

    package static func < (a: RepositoryName, b: RepositoryName) -> Bool {
        a.text < b.text
    }
}

extension UInt8 {
    package var isASCIILetterOrDigit: Bool {
        isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }

    package var isASCIIDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
