/// The name of an image tag with words to fill in: `{\1}.{\2}`, `pr-{sourceref}`, `sha-{sha12}`.
package struct Template: TextValue {
    package enum Word: Sendable, Hashable {
        case sourceref, branch, tag, version, major, minor, patch, date
        /// The first `n` digits of the commit id; nil is all of them.
        case sha(Int?)
        /// `{\1}`…`{\9}`.
        case group(Int)

        package static let names = [
            "sourceref", "branch", "tag", "version", "major", "minor", "patch", "date", "sha", "sha7", "sha12",
        ]

        init?(_ text: Substring) {
            switch text {
            case "sourceref": self = .sourceref
            case "branch": self = .branch
            case "tag": self = .tag
            case "version": self = .version
            case "major": self = .major
            case "minor": self = .minor
            case "patch": self = .patch
            case "date": self = .date
            case "sha": self = .sha(nil)
            case "sha7": self = .sha(7)
            case "sha12": self = .sha(12)
            default:
                guard text.first == "\\", text.count == 2, let last = text.last, last.isASCII,
                    let n = last.wholeNumberValue, n > 0
                else {
                    return nil
                }
                self = .group(n)
            }
        }
    }

    package enum Part: Sendable, Hashable {
        case literal(String)
        case word(Word, written: String)
    }

    package let text: String
    package let parts: [Part]

    package var words: [Word] {
        parts.compactMap { if case .word(let word, _) = $0 { word } else { nil } }
    }

    /// - Throws: `InvalidText` for an empty template, an open brace without its end, or an unknown word.
    package init(_ text: String) throws(InvalidText) {
        guard !text.isEmpty else { throw InvalidText("a tag's name is empty") }
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            if open > rest.startIndex { parts.append(.literal(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else {
                throw InvalidText("\"\(text)\" has a \"{\" without its \"}\"")
            }
            let written = rest[rest.index(after: open)..<close]
            guard let word = Word(written) else { throw InvalidText(Self.unknown(written, in: text)) }
            parts.append(.word(word, written: String(written)))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        self.text = text
        self.parts = parts
        if case .literal(let literal)? = parts.first, parts.count == 1, (try? Tag(literal)) == nil {
            throw InvalidText("\"\(text)\" can't be a tag: letters, digits, \"_\", \".\" and \"-\" can")
        }
    }

    private static func unknown(_ word: Substring, in text: String) -> String {
        let hint: String
        if word.first == "/" && word.count == 2 {
            hint = "; groups are written {\\\(word.dropFirst())}"
        } else {
            hint = Nearest.word(to: String(word), in: Word.names).map { "; nearest is {\($0)}" } ?? ""
        }
        return "\"\(text)\" uses {\(word)}, which is not known\(hint)"
    }
}
