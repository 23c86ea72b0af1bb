import Foundation

enum IPAddress {
    /// The address as inet_ntop(3) writes it, so that one address has one text; nil where it is none.
    static func canonical(_ text: String) -> String? {
        bytes(text).flatMap(Self.text)
    }

    /// The same for an address or a network, `10.0.0.0/8`: bits after the network's own are 0, and a network of one
    /// address is the address.
    static func canonicalNetwork(_ text: String) -> String? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard var bytes = bytes(parts[0]) else { return nil }
        guard parts.count == 2 else { return Self.text(bytes) }
        guard parts[1].wholeMatch(of: /[0-9]{1,3}/) != nil, let length = Int(parts[1]), length <= bytes.count * 8 else {
            return nil
        }
        for (index, byte) in bytes.enumerated() {
            bytes[index] = byte & ~(UInt8.max >> min(max(length - index * 8, 0), 8))
        }
        return Self.text(bytes).map { length == bytes.count * 8 ? $0 : "\($0)/\(length)" }
    }

    /// - Returns: 4 or 16 bytes in network order.
    private static func bytes(_ text: String) -> [UInt8]? {
        let isLong = text.contains(":")
        var bytes = [UInt8](repeating: 0, count: isLong ? 16 : 4)
        return inet_pton(isLong ? AF_INET6 : AF_INET, text, &bytes) == 1 ? bytes : nil
    }

    private static func text(_ bytes: [UInt8]) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 16 ? AF_INET6 : AF_INET
        return inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)).map { String(cString: $0) }
    }
}
