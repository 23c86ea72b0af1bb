/// A Git object name of a commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
package struct CommitID: TextValue {
    package let text: String

    /// - Throws: `InvalidText` unless `text` is 40 or 64 hexadecimal digits; upper case is accepted and lowered.
    package init(_ text: String) throws(InvalidText) {
        let lowered = text.lowercased()
        guard lowered.utf8.count == 40 || lowered.utf8.count == 64, lowered.utf8.allSatisfy(\.isHexDigit) else {
            throw InvalidText("\"\(text.excerpt())\" is not a commit id: 40 or 64 hexadecimal digits are")
        }
        self.text = lowered
    }

    /// The first `count` digits.
    package func prefix(_ count: Int) -> String {
        String(text.prefix(count))
    }

    /// All zeros: what Git hosts write where there is no commit (a ref just made or deleted).
    package var isZero: Bool {
        text.utf8.allSatisfy { $0 == UInt8(ascii: "0") }
    }
}

extension UInt8 {
    /// `0-9`, `a-f`: lower case only.
    package var isHexDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}

extension String {
    /// The text, cut where it is too long to be shown in a sentence.
    package func excerpt(_ limit: Int = 80) -> String {
        count <= limit ? self : "\(prefix(limit))…"
    }
}
