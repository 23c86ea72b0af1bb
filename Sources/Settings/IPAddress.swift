import Foundation

enum IPAddress {
    /// The address as inet_ntop(3) writes it, so that one address has one text; nil where it is none.
    static func canonical(_ text: String) -> String? {
        let family = text.contains(":") ? AF_INET6 : AF_INET
        // Large enough for either family.
        var address = in6_addr()
        guard inet_pton(family, text, &address) == 1 else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        return inet_ntop(family, &address, &buffer, socklen_t(buffer.count)).map { String(cString: $0) }
    }
}
