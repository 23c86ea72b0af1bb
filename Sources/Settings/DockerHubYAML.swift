/// Text from outside as a piece of YAML, whatever it holds.
enum DockerHubYAML {
    /// Words that YAML 1.1 reads as something else than text.
    private static let words: Set<String> = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]

    /// A scalar for a key or value in block or flow: plain where it can't be taken for anything else, in single quotes
    /// where it can be shown, else in double quotes with escapes (YAML 1.1, 5.7).
    static func scalar(_ text: String) -> String {
        if text.wholeMatch(of: /[A-Za-z\/][A-Za-z0-9_.\/\-@]*(:[A-Za-z0-9_.\/\-@]+)*/) != nil,
            !words.contains(text.lowercased())
        {
            return text
        }
        if text.unicodeScalars.allSatisfy(isShown) { return "'\(text.replacing("'", with: "''"))'" }
        return "\"\(text.unicodeScalars.map(escaped).joined())\""
    }

    /// Text for a comment or a message: one line, and nothing that hides or commands.
    static func line(_ text: String) -> String {
        text.unicodeScalars.map { isShown($0) ? String($0) : code($0) }.joined()
    }

    static func list(_ texts: [String]) -> String {
        "[\(texts.map(scalar).joined(separator: ", "))]"
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        default: isShown(scalar) ? String(scalar) : code(scalar)
        }
    }

    /// YAML reads no control characters, and its line ends are more than one.
    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }

    private static func code(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        let (letter, width) = scalar.value > 0xffff ? ("U", 8) : scalar.value > 0xff ? ("u", 4) : ("x", 2)
        return "\\\(letter)\(String(repeating: "0", count: width - digits.count))\(digits)"
    }
}
