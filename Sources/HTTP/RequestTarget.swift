import Foundation

/// What stands between method and version in a request's first line, taken apart and percent-decoded (RFC 9112, 3.2).
struct RequestTarget: Sendable {
    /// The path as it was sent, without the query.
    let rawPath: String
    let path: [String]
    let hasTrailingSlash: Bool
    let query: [(name: String, value: String)]

    /// - Throws: `MalformedTarget` where the path doesn't begin with a slash, or a percent escape is cut short, isn't
    ///   hexadecimal, or stands for something else than UTF-8 text without NUL.
    init(_ text: String) throws(MalformedTarget) {
        let origin = Self.originForm(text)
        let parts = origin.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let raw = parts.first ?? ""
        guard raw.utf8.first == UInt8(ascii: "/") else {
            throw MalformedTarget("the address must begin with a slash")
        }
        var segments: [String] = []
        for segment in raw.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            segments.append(try Self.decode(segment, plusIsSpace: false))
        }
        hasTrailingSlash = raw.utf8.count > 1 && segments.last == ""
        if segments.last == "" { segments.removeLast() }
        rawPath = String(raw)
        path = segments
        query = parts.count == 2 ? try Self.pairs(parts[1]) : []
    }

    /// `name=value` pairs, as in a query and in a form's body (WHATWG URL, application/x-www-form-urlencoded).
    static func pairs(_ text: some StringProtocol) throws(MalformedTarget) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for pair in text.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count == 2 ? try decode(sides[1], plusIsSpace: true) : ""
            pairs.append((name: try decode(sides[0], plusIsSpace: true), value: value))
        }
        return pairs
    }

    /// `http://host/path` is what proxies send; the host in it says nothing that the service asks for.
    private static func originForm(_ text: String) -> Substring {
        for scheme in ["http://", "https://"] where text.lowercased().hasPrefix(scheme) {
            let rest = text.dropFirst(scheme.count)
            return rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
        }
        return text[...]
    }

    private static func decode(_ text: some StringProtocol, plusIsSpace: Bool) throws(MalformedTarget) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(hexValue), let low = rest.next().flatMap(hexValue) else {
                    throw MalformedTarget("a % in the address must be followed by two hexadecimal digits")
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        guard !bytes.contains(0), let decoded = String(validating: bytes, as: UTF8.self) else {
            throw MalformedTarget("the address must be UTF-8 text once its % escapes are decoded")
        }
        return decoded
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        Character(UnicodeScalar(digit)).hexDigitValue.map(UInt8.init)
    }
}

/// A request's address that can't be read.
package struct MalformedTarget: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
