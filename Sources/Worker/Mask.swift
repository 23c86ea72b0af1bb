import Foundation
import Model

/// Replaces secrets in a stream of bytes, also where a secret lies across two chunks.
struct Mask: Sendable {
    /// Shorter ones are left alone: they would turn up everywhere in innocent text.
    static let shortest = 3
    static let stars = Data("***".utf8)

    /// By first byte, longest first.
    private var secrets: [UInt8: [[UInt8]]] = [:]
    /// Bytes that may be the beginning of a secret.
    private var held: [UInt8] = []

    init(_ secrets: [Secret]) {
        hide(secrets)
    }

    /// Replaces these from here on, instead of those before; what is held back may be the beginning of one.
    mutating func hide(_ secrets: [Secret]) {
        // A key of several lines is printed line by line, often indented or prefixed.
        let texts = secrets.flatMap { secret in
            [secret.value]
                + secret.value.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let long = Set(texts.map { Array($0.utf8) }).filter { $0.count >= Self.shortest }
        self.secrets = Dictionary(grouping: long) { $0[0] }.mapValues { $0.sorted { $0.count > $1.count } }
    }

    /// - Returns: the bytes that are sure by now, masked.
    mutating func feed(_ chunk: Data) -> Data {
        scan(held + chunk, last: false)
    }

    /// - Returns: what was held back.
    mutating func finish() -> Data {
        scan(held, last: true)
    }

    /// A whole text, masked.
    func masked(_ text: String) -> String {
        var mask = self
        return String(decoding: mask.scan(Array(text.utf8), last: true), as: UTF8.self)
    }

    private mutating func scan(_ bytes: [UInt8], last: Bool) -> Data {
        var out = Data(capacity: bytes.count)
        var plain = 0
        var i = 0
        held = []
        scanning: while i < bytes.count {
            guard let candidates = secrets[bytes[i]] else {
                i += 1
                continue
            }
            let rest = bytes[i...]
            for secret in candidates {
                if rest.starts(with: secret) {
                    out.append(contentsOf: bytes[plain..<i])
                    out.append(Self.stars)
                    i += secret.count
                    plain = i
                    continue scanning
                }
                if !last, rest.count < secret.count, secret.starts(with: rest) {
                    out.append(contentsOf: bytes[plain..<i])
                    held = Array(rest)
                    return out
                }
            }
            i += 1
        }
        out.append(contentsOf: bytes[plain...])
        return out
    }
}
