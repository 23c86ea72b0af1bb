import CMicroHTTPD  // its header takes the socket constants for itself, so Foundation alone may not show them
import Foundation

/// A socket that listens, and the address that it got.
struct Listener: ~Copyable {
    let descriptor: Int32
    let port: UInt16

    /// - Parameter host: an IPv4 or IPv6 address, or `localhost`; `::` takes IPv4 too.
    init(host: String, port: UInt16) throws(HTTPServerError) {
        let shown = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        var address = try Self.address(host: host, port: port)
        let family = Int32(address.storage.ss_family)
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Self.flags, 0)
        guard descriptor >= 0 else { throw Self.failure("socket", shown) }
        do throws(HTTPServerError) {
            try Self.set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1, shown)
            if family == AF_INET6 {
                try Self.set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, host == "::" ? 0 : 1, shown)
            }
            let bound = withUnsafePointer(to: &address.storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, address.length) }
            }
            guard bound == 0 else { throw Self.failure("bind", shown) }
            guard listen(descriptor, SOMAXCONN) == 0 else { throw Self.failure("listen", shown) }
            self.port = try Self.boundPort(descriptor, shown)
            self.descriptor = descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Non-blocking, and not for the child processes that builds start.
    private static let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    private static func address(
        host: String, port: UInt16
    ) throws(HTTPServerError) -> (storage: sockaddr_storage, length: socklen_t) {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host == "localhost" ? "127.0.0.1" : host, "\(port)", &hints, &found) == 0, let found else {
            throw .unknownHost(host)
        }
        defer { freeaddrinfo(found) }
        var storage = sockaddr_storage()
        memcpy(&storage, found.pointee.ai_addr, Int(found.pointee.ai_addrlen))
        return (storage, found.pointee.ai_addrlen)
    }

    private static func set(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32, _ shown: String
    ) throws(HTTPServerError) {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw failure("setsockopt", shown)
        }
    }

    private static func boundPort(_ descriptor: Int32, _ shown: String) throws(HTTPServerError) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let known = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard known == 0 else { throw failure("getsockname", shown) }
        // The port stands at the same place in both families' addresses.
        return withUnsafeBytes(of: &storage) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) }
    }

    private static func failure(_ operation: String, _ shown: String) -> HTTPServerError {
        switch errno {
        case EADDRINUSE: .addressInUse(shown)
        case EACCES, EPERM: .notPermitted(shown)
        case EADDRNOTAVAIL: .notOfThisMachine(shown)
        case let code: .system(address: shown, operation: operation, reason: String(cString: strerror(code)))
        }
    }
}
