import Foundation
import Model
import Platform

/// The host keys that are trusted: lines of known_hosts(5), as in sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
///
/// Lines marked `@cert-authority` are read over: libssh2 asks no host for a certificate.
struct KnownHosts: Sendable {
    enum Verdict: Sendable, Equatable {
        case known
        case revoked
        /// The host has another key of this type.
        case changed
        /// Only keys of these other types are known.
        case otherTypes([String])
        case unknown
    }

    private struct Line: Sendable {
        let isRevoked: Bool
        let hosts: [String]
        let type: String
        let key: Data
    }

    private let lines: [Line]

    init(_ text: String) {
        lines = text.split(whereSeparator: \.isNewline).compactMap { line in
            var fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            guard let first = fields.first, !first.hasPrefix("#") else { return nil }
            if first == "@cert-authority" { return nil }
            if first.hasPrefix("@") { fields.removeFirst() }
            guard fields.count >= 3, let key = Data(base64Encoded: fields[2]) else { return nil }
            return Line(
                isRevoked: first == "@revoked", hosts: fields[0].split(separator: ",").map(String.init),
                type: fields[1],
                key: key)
        }
    }

    /// - Parameter key: the key as SSH sends it (RFC 4253, 6.6).
    func verdict(on host: String, port: UInt16, key: HostKey) -> Verdict {
        let name = Self.name(host, port)
        let matching = lines.filter { Self.matches($0.hosts, name) }
        if matching.contains(where: { $0.isRevoked && $0.key == key.blob }) { return .revoked }
        let trusted = matching.filter { !$0.isRevoked }
        if trusted.contains(where: { $0.key == key.blob }) { return .known }
        if trusted.contains(where: { $0.type == key.type }) { return .changed }
        return trusted.isEmpty ? .unknown : .otherTypes(Array(Set(trusted.map(\.type))).sorted())
    }

    /// `host`, or `[host]:port` where the port is not 22.
    static func name(_ host: String, _ port: UInt16) -> String {
        port == 22 ? host.lowercased() : "[\(host.lowercased())]:\(port)"
    }

    private static func matches(_ patterns: [String], _ name: String) -> Bool {
        var found = false
        for pattern in patterns {
            if pattern.hasPrefix("|1|") {
                let parts = pattern.dropFirst(3).split(separator: "|").map { Data(base64Encoded: String($0)) }
                guard parts.count == 2, let salt = parts[0], let hash = parts[1] else { continue }
                if Crypto.hmacSHA1(key: salt, Data(name.utf8)) == hash { found = true }
            } else if pattern.hasPrefix("!") {
                if glob(pattern.dropFirst().lowercased(), name) { return false }
            } else if glob(pattern.lowercased(), name) {
                found = true
            }
        }
        return found
    }

    /// `*` is any characters, `?` is one.
    private static func glob(_ pattern: String, _ name: String) -> Bool {
        let (pattern, name) = (Array(pattern.utf8), Array(name.utf8))
        var (p, n, star, mark) = (0, 0, -1, 0)
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                (star, mark) = (p, n)
                p += 1
            } else if p < pattern.count, pattern[p] == name[n] || pattern[p] == UInt8(ascii: "?") {
                p += 1
                n += 1
            } else if star >= 0 {
                p = star + 1
                mark += 1
                n = mark
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

/// A host's public key as SSH sends it.
struct HostKey: Sendable {
    let blob: Data

    /// The blob's own name of its type: `ssh-ed25519`.
    var type: String {
        let bytes = [UInt8](blob)
        guard bytes.count > 4 else { return "unknown" }
        let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length <= bytes.count - 4 else { return "unknown" }
        return String(decoding: bytes[4..<4 + length], as: UTF8.self)
    }

    /// `SHA256:` and the base64 that ssh-keygen(1) shows.
    var fingerprint: String {
        var text = Crypto.sha256(blob).base64EncodedString()
        while text.hasSuffix("=") { text.removeLast() }
        return "SHA256:\(text)"
    }

    func line(_ name: String) -> String {
        "\(name) \(type) \(blob.base64EncodedString())"
    }
}
