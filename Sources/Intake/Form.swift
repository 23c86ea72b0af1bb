import Foundation

/// Fields of `application/x-www-form-urlencoded` (WHATWG URL, 5.1).
enum Form {
    /// Of fields with one name the last.
    ///
    /// - Returns: nil where the bytes are no form: an escape that is none, or no UTF-8.
    static func fields(_ body: Data) -> [String: String]? {
        pairs(body).map { Dictionary($0) { $1 } }
    }

    /// In the order sent.
    ///
    /// - Returns: nil as `fields` does.
    static func pairs(_ body: Data) -> [(String, String)]? {
        guard let text = String(bytes: body, encoding: .utf8) else { return nil }
        var pairs: [(String, String)] = []
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0]), let value = decoded(parts.count > 1 ? parts[1] : "") else { return nil }
            pairs.append((name, value))
        }
        return pairs
    }

    private static func decoded(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }
}

extension Inbound {
    /// The JSON: the body, or the field `payload` of the form that a Git host was told to send.
    ///
    /// - Throws: `IntakeError.unreadable` where the form has no such field.
    func json() throws(IntakeError) -> Data {
        guard saysForm else { return body }
        guard let payload = Form.fields(body)?["payload"] else {
            throw .unreadable("the form has no field \"payload\"; set the webhook's content type to application/json")
        }
        return Data(payload.utf8)
    }
}
