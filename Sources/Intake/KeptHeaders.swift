import Foundation
import Queue

/// What is kept of a request's head: enough to see who sent it and to read it again, and nothing that proves anything.
enum KeptHeaders {
    static let mostHeaders = 64
    /// Of all names and values, in bytes.
    static let mostBytes = 8192
    /// Of one value, in bytes.
    static let longestValue = 1024

    /// The headers in their order, up to the bounds; longer values are cut, those of secrets masked.
    static func of(_ headers: [Header]) -> [Header] {
        var kept: [Header] = []
        var room = mostBytes
        for header in headers.prefix(mostHeaders) {
            let value = isSecret(header.name) ? mask : cut(header.value)
            room -= header.name.utf8.count + value.utf8.count
            guard room >= 0 else { break }
            kept.append(Header(name: header.name, value: value))
        }
        return kept
    }

    /// What stands for a secret.
    static let mask = "•••"

    private static let secretEndings = [
        "authorization", "cookie", "token", "secret", "key", "password",
        // Proxies tell the address that was asked for, and a trigger's holds its token.
        "uri", "url", "path", "referer",
    ]
    /// Bitbucket's name of the event, and what GitLab calls a delivery.
    private static let open: Set = ["x-event-key", "idempotency-key"]

    private static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return (secretEndings.contains(where: name.hasSuffix) || name.contains("signature")) && !open.contains(name)
    }

    private static func cut(_ value: String) -> String {
        guard value.utf8.count > longestValue else { return value }
        let bytes = value.utf8.prefix(longestValue - "…".utf8.count)
        // The cut may go through a character, which is left out then.
        return ((0...3).lazy.compactMap { String(bytes.dropLast($0)) }.first ?? "") + "…"
    }
}
