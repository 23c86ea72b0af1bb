import Platform

/// Whose word on the caller's address is taken.
package struct TrustedProxies: Sendable {
    private let networks: [IPNetwork]

    package init(_ networks: [IPNetwork]) {
        self.networks = networks
    }

    /// The address of who sent a request: the last of `X-Forwarded-For` that is no proxy's, since everything before it is
    /// only that caller's word.
    ///
    /// - Parameters:
    ///   - peer: the address that the connection comes from.
    ///   - forwardedFor: the values of the request's `X-Forwarded-For` headers, in order.
    /// - Returns: the peer where it is no proxy, or where a proxy's part of the list can't be read.
    package func caller(peer: String, forwardedFor: [String]) -> String {
        guard isTrusted(peer) else { return peer }
        var caller = peer
        for entry in forwardedFor.joined(separator: ",").split(separator: ",").reversed() {
            guard let address = Self.address(entry) else { return peer }
            caller = address
            if !isTrusted(address) { break }
        }
        return caller
    }

    private func isTrusted(_ address: String) -> Bool {
        guard !networks.isEmpty, let address = IPNetwork(address) else { return false }
        return networks.contains { $0.contains(address) }
    }

    /// `192.0.2.1`, `2001:db8::1`, and with the port that some proxies add: `192.0.2.1:443`, `[2001:db8::1]:443`.
    private static func address(_ entry: Substring) -> String? {
        var text = entry[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        if text.first == "[", let end = text.firstIndex(of: "]") {
            text = text[text.index(after: text.startIndex)..<end]
        } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
            text = text[..<colon]
        }
        return IPNetwork(String(text)) == nil || text.contains("/") ? nil : String(text)
    }
}
