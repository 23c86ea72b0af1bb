/// One line of a `.dockerignore`: Go's `filepath.Match` with `**`, as the engines make a regular expression of it.
struct IgnorePattern: Sendable {
    /// Without the `!`.
    let text: [Unicode.Scalar]
    let isException: Bool
    /// How many names it has.
    let depth: Int
    private let parts: [Part]
    private let isPlain: Bool

    private enum Part: Hashable {
        case character(Unicode.Scalar)
        /// `?`
        case one
        /// `*`
        case name
        /// `**`
        case any
        /// Before the `**` and the `/` of a `**/`: the three together may stand for nothing.
        case folders
        /// `[a-z]`; `[^a]` takes in the slash too.
        case set(negated: Bool, [ClosedRange<UInt32>])
    }

    /// - Parameter endsWithName: whether `**name` is for all names that end so, and not only for `name` in any folder.
    /// - Returns: nil for what engines call a mistake, what their regular expressions read in ways of their own
    ///   (`+`, `(`, `\d`), and what is not UTF-8.
    init?(_ text: [Unicode.Scalar], isException: Bool, endsWithName: Bool) {
        guard let parts = Self.parts(of: text, endsWithName: endsWithName) else { return nil }
        self.text = text
        self.isException = isException
        self.parts = parts
        depth = text.count { $0 == "/" } + 1
        isPlain = parts == text.map(Part.character)
    }

    private static func parts(of text: [Unicode.Scalar], endsWithName: Bool) -> [Part]? {
        if endsWithName, text.starts(with: ["*", "*"]), let first = text.dropFirst(2).first, first != "/",
            !text.dropFirst(2).contains(where: { "*?[]\\".unicodeScalars.contains($0) })
        {
            guard let rest = parts(of: Array(text.dropFirst(2)), endsWithName: false) else { return nil }
            return [.any] + rest
        }
        var rest = text[...]
        var parts: [Part] = []
        while let next = rest.popFirst() {
            switch next {
            case "?":
                parts.append(.one)
            case "*" where rest.first == "*":
                rest.removeFirst()
                if rest.first == "/" { rest.removeFirst() }
                parts += rest.isEmpty ? [.any] : [.folders, .any, .character("/")]
            case "*":
                parts.append(.name)
            case "[":
                guard let set = set(&rest) else { return nil }
                parts.append(set)
            case "\\":
                // Before a letter or digit the regular expression has classes and more.
                guard let escaped = rest.popFirst(), escaped.isASCII, escaped.value > 0x20,
                    !escaped.properties.isAlphabetic, !("0"..."9" ~= escaped), escaped != "/"
                else { return nil }
                parts.append(.character(escaped))
            case "+", "(", ")", "|", "{", "}", "^", "\u{0}", "\u{FEFF}", "\u{FFFD}":
                return nil
            default:
                parts.append(.character(next))
            }
        }
        return parts
    }

    /// The rest of a set, after its `[`; nil for all but characters and ranges of them, of which no engine thinks
    /// otherwise.
    private static func set(_ rest: inout ArraySlice<Unicode.Scalar>) -> Part? {
        let isNegated = rest.first == "^"
        if isNegated { rest.removeFirst() }
        var ranges: [ClosedRange<UInt32>] = []
        func isUsable(_ character: Unicode.Scalar) -> Bool {
            !"[]-\\*?^/\u{0}\u{FEFF}\u{FFFD}".unicodeScalars.contains(character)
        }
        while let low = rest.popFirst() {
            if low == "]" { return ranges.isEmpty ? nil : .set(negated: isNegated, ranges) }
            guard isUsable(low) else { return nil }
            var high = low
            if rest.first == "-" {
                rest.removeFirst()
                guard let end = rest.popFirst(), isUsable(end), end >= low else { return nil }
                high = end
            }
            ranges.append(low.value...high.value)
        }
        return nil
    }

    func matches(_ path: ArraySlice<Unicode.Scalar>) -> Bool {
        if isPlain { return path.elementsEqual(text) }
        // All places in the pattern that the path's beginning can lead to, carried along the path: each character costs
        // one look at each part, whatever the pattern.
        var places = Array(repeating: false, count: parts.count + 1)
        places[0] = true
        passOver(&places)
        for character in path {
            var next = Array(repeating: false, count: places.count)
            var isOpen = false
            for (place, part) in parts.enumerated() where places[place] {
                switch part {
                case .character(let wanted): next[place + 1] = next[place + 1] || character == wanted
                case .one: next[place + 1] = next[place + 1] || character != "/"
                case .name: next[place] = next[place] || character != "/"
                case .any: next[place] = true
                case .folders: break
                case .set(let isNegated, let ranges):
                    let isIn = ranges.contains { $0.contains(character.value) }
                    next[place + 1] = next[place + 1] || isIn != isNegated
                }
                isOpen = isOpen || next[place] || next[place + 1]
            }
            guard isOpen else { return false }
            passOver(&next)
            places = next
        }
        return places[parts.count]
    }

    /// Adds the places behind parts that may stand for nothing.
    private func passOver(_ places: inout [Bool]) {
        for (place, part) in parts.enumerated() where places[place] {
            switch part {
            case .character, .one, .set: break
            case .name, .any: places[place + 1] = true
            case .folders:
                places[place + 1] = true
                places[place + 3] = true
            }
        }
    }
}
