/// A tag in a registry: a letter, digit or `_`, then up to 127 of letters, digits, `_`, `.`, `-` (distribution spec).
package struct Tag: TextValue, Comparable {
    package let text: String

    package init(_ text: String) throws(InvalidText) {
        guard let first = text.utf8.first, !".-".utf8.contains(first), text.utf8.count <= 128,
            text.utf8.allSatisfy({ $0.isASCIILetterOrDigit || "_.-".utf8.contains($0) })
        else {
            throw InvalidText(
                "\"\(text.excerpt())\" can't be a tag: 1 to 128 letters, digits, \"_\", \".\", \"-\" that don't begin with \".\" or \"-\" can"
            )
        }
        self.text = text
    }

    /// The nearest tag to any text: every character that a tag can't hold becomes `-` (a first `.` or `-` becomes
    /// `_`), and what is past 128 is cut. Nil where the text is empty.
    package init?(nearest text: String) {
        if let tag = try? Tag(text) {
            self = tag
            return
        }
        guard let first = text.first else { return nil }
        let mapped = text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_.-".contains($0)) ? $0 : "-" }
        let head = mapped[0] == "." || (mapped[0] == "-") ? "_" : first
        self.text = String(([head] + mapped.dropFirst()).prefix(128))
    }

    package static func < (a: Tag, b: Tag) -> Bool { a.text < b.text }
}
