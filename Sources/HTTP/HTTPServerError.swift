/// Why the server didn't start.
package enum HTTPServerError: Error, Equatable, CustomStringConvertible {
    case unknownHost(String)
    case addressInUse(String)
    case notPermitted(String)
    case notOfThisMachine(String)
    case system(address: String, operation: String, reason: String)
    /// libmicrohttpd gave no daemon; what it said is in the log.
    case refused(String)
    case startedBefore(String)

    package var description: String {
        switch self {
        case .unknownHost(let host):
            "\"\(host)\" can't be listened on: write an IP address of this machine, or localhost"
        case .addressInUse(let address):
            "\(address) can't be listened on: another program does; stop it or choose another port"
        case .notPermitted(let address):
            "\(address) can't be listened on: this user may not; choose a port of 1024 or more, or run with the right to (CAP_NET_BIND_SERVICE)"
        case .notOfThisMachine(let address):
            "\(address) can't be listened on: the address is none of this machine's"
        case .system(let address, let operation, let reason):
            "\(address) can't be listened on: \(operation) failed: \(reason)"
        case .refused(let address):
            "the HTTP server for \(address) did not start: libmicrohttpd refused; the log says why"
        case .startedBefore(let address):
            "the HTTP server for \(address) was started before: a server starts once"
        }
    }
}
