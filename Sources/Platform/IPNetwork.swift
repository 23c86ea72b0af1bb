import Foundation

/// An IPv4 or IPv6 network (`10.0.0.0/8`), or one address, which is a network of its own.
package struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    /// In network order, with 0 after the prefix; an IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2) is its IPv4 one.
    private let bytes: [UInt8]
    /// The length of the prefix.
    package let bits: Int

    private static let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xff, 0xff]

    /// - Returns: nil where the text is neither an address, nor an address with a prefix's length after a slash.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let family = text.contains(":") ? AF_INET6 : AF_INET
        // Large enough for either family.
        var address = in6_addr()
        guard parts.count <= 2, inet_pton(family, parts[0], &address) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: address) { Array($0.prefix(family == AF_INET6 ? 16 : 4)) }
        var bits = bytes.count * 8
        if parts.count == 2 {
            guard let length = Int(parts[1]), (0...bits).contains(length), parts[1] == "\(length)" else { return nil }
            bits = length
        }
        if bytes.starts(with: Self.mapped), bits >= 96 {
            self.init(bytes: Array(bytes.dropFirst(12)), bits: bits - 96)
        } else {
            self.init(bytes: bytes, bits: bits)
        }
    }

    private init(bytes: [UInt8], bits: Int) {
        self.bytes = bytes.enumerated().map { index, byte in
            let kept = min(max(bits - index * 8, 0), 8)
            return byte & (kept == 0 ? 0 : 0xff << UInt8(8 - kept))
        }
        self.bits = bits
    }

    /// Whether it is one address.
    package var isAddress: Bool { bits == bytes.count * 8 }

    /// As inet_ntop(3) writes it, so that one network has one text; with its length where it is more than an address.
    package var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(bytes.count == 16 ? AF_INET6 : AF_INET, bytes, &buffer, socklen_t(buffer.count))
        let address = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return isAddress ? address : "\(address)/\(bits)"
    }

    package func contains(_ other: IPNetwork) -> Bool {
        bytes.count == other.bytes.count && bits <= other.bits
            && IPNetwork(bytes: other.bytes, bits: bits).bytes == bytes
    }

    /// What one caller surely has as its own: its IPv4 address, the /64 of its IPv6 address (RFC 6177).
    package var caller: IPNetwork {
        bytes.count == 4 ? self : IPNetwork(bytes: bytes, bits: min(bits, 64))
    }
}
