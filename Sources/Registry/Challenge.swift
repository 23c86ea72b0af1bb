/// One way in which a server lets itself be asked for credentials (RFC 9110, 11.6.1): `Bearer realm="…",service="…"`.
struct Challenge: Sendable, Hashable {
    /// Lower case: `basic`, `bearer`.
    let scheme: String
    /// By lower-case name; of a name written twice the first counts.
    let parameters: [String: String]

    /// Reads the challenges of one or more `WWW-Authenticate` headers, joined with commas.
    ///
    /// - Returns: the challenges in their order, as far as they could be read; empty where none could.
    static func parse(_ header: String) -> [Challenge] {
        var scanner = ChallengeScanner(rest: Array(header.unicodeScalars)[...])
        var challenges: [Challenge] = []
        var scheme: String?
        var parameters: [String: String] = [:]
        func finish() {
            if let scheme { challenges.append(Challenge(scheme: scheme, parameters: parameters)) }
        }
        while true {
            scanner.skip { $0 == "," || ChallengeScanner.isSpace($0) }
            guard let word = scanner.token() else { break }
            let spaced = scanner.skip(while: ChallengeScanner.isSpace)
            if scheme != nil, let value = scanner.value() {
                let name = word.lowercased()
                if parameters[name] == nil { parameters[name] = value }
            } else if spaced || scanner.rest.isEmpty || scanner.rest.first == "," {
                finish()
                scheme = word.lowercased()
                parameters = [:]
                scanner.skipToken68()
            } else {
                break
            }
        }
        finish()
        return challenges
    }
}

/// Cuts the pieces of RFC 9110's `challenge` off the front.
private struct ChallengeScanner {
    var rest: ArraySlice<Unicode.Scalar>

    static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }

    private static func isTokenPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                || "!#$%&'*+-.^_`|~".unicodeScalars.contains(scalar))
    }

    /// - Returns: whether there was anything to skip.
    @discardableResult
    mutating func skip(while matches: (Unicode.Scalar) -> Bool) -> Bool {
        let before = rest.count
        rest = rest.drop(while: matches)
        return rest.count < before
    }

    mutating func token() -> String? {
        let part = rest.prefix(while: Self.isTokenPart)
        rest = rest.dropFirst(part.count)
        return part.isEmpty ? nil : Self.text(part)
    }

    /// `=` and a token or quoted string; nil, and nothing cut, where something else follows.
    mutating func value() -> String? {
        guard rest.first == "=" else { return nil }
        let before = rest
        rest = rest.dropFirst()
        skip(while: Self.isSpace)
        if rest.first == "\"" { return quoted() }
        // Some servers leave the quotes off an address, so more than a token's characters are taken.
        let part = rest.prefix { $0 != "," && !Self.isSpace($0) && $0 != "\"" }
        guard !part.isEmpty else {
            rest = before.dropFirst()
            return ""
        }
        rest = rest.dropFirst(part.count)
        return Self.text(part)
    }

    private mutating func quoted() -> String {
        var text: [Unicode.Scalar] = []
        rest = rest.dropFirst()
        while let next = rest.popFirst(), next != "\"" {
            if next == "\\", let escaped = rest.popFirst() { text.append(escaped) } else { text.append(next) }
        }
        return Self.text(text[...])
    }

    /// Skips the one opaque word that a scheme may carry instead of parameters (`Negotiate oYG2…==`).
    mutating func skipToken68() {
        let after = rest.drop { Self.isTokenPart($0) || $0 == "/" }.drop { $0 == "=" }
        let next = after.drop(while: Self.isSpace).first
        if next == nil || next == "," { rest = after }
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }
}
