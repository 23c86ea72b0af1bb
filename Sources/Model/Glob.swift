/// Which files a rule is about: `src/**`, `*.md`, `docs/`.
///
/// A path is matched whole, from the repository's root: `*` and `?` stand for characters other than `/`, `**` for any
/// characters, and `**/` where a name begins also for nothing. A pattern that ends in `/` is for everything in that
/// folder; a leading `/` is the root's and changes nothing. Nothing else is special, and case counts.
package struct Glob: TextValue {
    package let text: String
    private let parts: [Part]

    private enum Part: Hashable {
        case character(Unicode.Scalar)
        /// `?`
        case one
        /// `*`
        case name
        /// `**`
        case any
        /// Before the `**` and the `/` of a `**/`: the two together may stand for nothing.
        case folders
    }

    /// - Throws: `InvalidText` for an empty pattern.
    package init(_ text: String) throws(InvalidText) {
        guard !text.isEmpty, text != "/" else {
            throw InvalidText("\"\(text)\" is no pattern of paths: src/**, *.md and docs/ are")
        }
        self.text = text
        parts = Self.parts(of: text)
    }

    private static func parts(of text: String) -> [Part] {
        var rest = text.unicodeScalars[...]
        if rest.first == "/" { rest.removeFirst() }
        var parts: [Part] = []
        while let next = rest.popFirst() {
            switch next {
            case "?":
                parts.append(.one)
            case "*":
                let more = rest.prefix { $0 == "*" }
                rest = rest[more.endIndex...]
                if more.isEmpty {
                    parts.append(.name)
                } else {
                    let begins = parts.last.map { $0 == .character("/") } ?? true
                    parts += begins && rest.first == "/" ? [.folders, .any] : [.any]
                }
            default:
                parts.append(.character(next))
            }
        }
        if text.hasSuffix("/") { parts.append(.any) }
        return parts
    }

    /// Whether a file is one of them.
    ///
    /// - Parameter path: from the repository's root, without a leading `/`.
    package func matches(_ path: String) -> Bool {
        // All places in the pattern that the path's beginning can lead to, carried along the path: each character costs
        // one look at each part, whatever the pattern.
        var places = Array(repeating: false, count: parts.count + 1)
        places[0] = true
        passOver(&places)
        for character in path.unicodeScalars {
            var next = Array(repeating: false, count: places.count)
            for (place, part) in parts.enumerated() where places[place] {
                switch part {
                case .character(let wanted): if character == wanted { next[place + 1] = true }
                case .one: if character != "/" { next[place + 1] = true }
                case .name: if character != "/" { next[place] = true }
                case .any: next[place] = true
                case .folders: break
                }
            }
            passOver(&next)
            places = next
        }
        return places[parts.count]
    }

    /// Adds the places behind parts that may stand for nothing.
    private func passOver(_ places: inout [Bool]) {
        for (place, part) in parts.enumerated() where places[place] {
            switch part {
            case .character, .one: break
            case .name, .any: places[place + 1] = true
            case .folders:
                places[place + 1] = true
                places[place + 3] = true
            }
        }
    }
}
