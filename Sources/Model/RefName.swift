/// The full name of a branch or tag: `refs/heads/<branch>` or `refs/tags/<tag>`.
package struct RefName: TextValue {
    package enum Kind: String, Sendable, Codable {
        case branch, tag
    }

    package let text: String
    package let kind: Kind
    /// The name without `refs/heads/` or `refs/tags/`; may hold slashes.
    package let name: String

    private static let prefixes: [(Kind, String)] = [(.branch, "refs/heads/"), (.tag, "refs/tags/")]

    /// - Throws: `InvalidText` where `text` is no branch or tag, or breaks the rules of git-check-ref-format(1).
    package init(_ text: String) throws(InvalidText) {
        // By bytes: a combining mark at the name's beginning would hide the slash before it.
        guard let (kind, prefix) = Self.prefixes.first(where: { text.utf8.starts(with: $0.1.utf8) }) else {
            throw InvalidText("\"\(text.excerpt())\" is neither a branch (refs/heads/…) nor a tag (refs/tags/…)")
        }
        try self.init(kind, String(Substring(text.utf8.dropFirst(prefix.utf8.count))))
    }

    package init(_ kind: Kind, _ name: String) throws(InvalidText) {
        if let fault = Self.fault(in: name) {
            throw InvalidText("\"\(name.excerpt())\" can't be the name of a \(kind.rawValue): \(fault)")
        }
        self.kind = kind
        self.name = name
        text = (kind == .branch ? "refs/heads/" : "refs/tags/") + name
    }

    /// Whether a ref, which may be none that is allowed, is a tag's.
    package static func isTag(_ ref: String) -> Bool { ref.utf8.starts(with: "refs/tags/".utf8) }

    package var branch: String? { kind == .branch ? name : nil }
    package var tag: String? { kind == .tag ? name : nil }

    /// What git-check-ref-format(1) has against the name, or nil.
    private static func fault(in name: String) -> String? {
        if name.isEmpty { return "it is empty" }
        // The longest name that fits a loose ref's path on common file systems, with room for a lock's suffix.
        if name.utf8.count > 1024 { return "it is longer than 1024 bytes" }
        if name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) { return "it holds a control character" }
        // Git compares bytes; in a Swift string a combining mark would hide the character before it.
        let name = String(String.UnicodeScalarView(name.unicodeScalars.map { $0.isASCII ? $0 : "x" }))
        if let bad = name.first(where: { " ~^:?*[\\".contains($0) }) { return "it holds \"\(bad)\"" }
        if name.contains("..") || name.contains("@{") || name.contains("//") {
            return "it holds \"..\", \"@{\" or \"//\""
        }
        if name.hasPrefix("/") || name.hasSuffix("/") || name.hasSuffix(".") {
            return "it begins or ends with \"/\" or ends with \".\""
        }
        let parts = name.split(separator: "/")
        if parts.contains(where: { $0.hasPrefix(".") || $0.hasSuffix(".lock") }) {
            return "a part of it begins with \".\" or ends with \".lock\""
        }
        return nil
    }
}
