/// Which branch or tag names a rule is for: an exact name, or a regular expression between slashes.
///
/// The dialect is that of Swift's `Regex`: Perl-like, with ASCII-only `\d`, `\w`, `\s`, case-sensitive, compared by
/// Unicode scalar. As on Docker Hub the expression is searched for anywhere in the name; `^` and `$` anchor it.
package struct Pattern: TextValue {
    package let text: String
    /// How many groups `{\1}`…`{\9}` can refer to; 0 for an exact name.
    package let groups: Int

    package var isExpression: Bool { Self.expression(in: text) != nil }

    /// - Throws: `InvalidText` for an empty name or an expression that can't be read.
    package init(_ text: String) throws(InvalidText) {
        self.text = text
        guard !text.isEmpty else { throw InvalidText("the name is empty; write a name or a /regular expression/") }
        guard let expression = Self.expression(in: text) else {
            groups = 0
            return
        }
        guard !expression.isEmpty else {
            throw InvalidText("// is an empty regular expression; /.*/ matches every name")
        }
        do {
            _ = try Regex<AnyRegexOutput>(expression)
            // An alternative that matches the empty text tells the number of groups without a name to match.
            let probe = try Regex<AnyRegexOutput>("(?:\(expression))|")
            groups = (("".wholeMatch(of: probe)?.output.count) ?? 1) - 1
        } catch {
            throw InvalidText("\(text) is not a regular expression: \(error)")
        }
    }

    /// The whole match and its groups where the name matches, else nil. An exact name gives one element; a group that
    /// took no part in the match is empty.
    package func captures(in name: String) -> [String]? {
        guard let expression = Self.expression(in: text) else { return name == text ? [name] : nil }
        // Compiled anew for each name: `Regex` is not `Sendable`, and names come seldom.
        guard
            let regex = try? Regex<AnyRegexOutput>(expression).asciiOnlyCharacterClasses().matchingSemantics(
                .unicodeScalar),
            let match = try? regex.firstMatch(in: name)
        else { return nil }
        return match.output.map { $0.substring.map(String.init) ?? "" }
    }

    private static func expression(in text: String) -> String? {
        guard text.count >= 2, text.hasPrefix("/"), text.hasSuffix("/") else { return nil }
        return String(text.dropFirst().dropLast())
    }
}
