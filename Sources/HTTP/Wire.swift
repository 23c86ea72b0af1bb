import Foundation
import Synchronization

/// One open TCP connection, as far as libmicrohttpd leaves it to the server: who it is, and since when it owes bytes.
final class Wire: Sendable {
    private enum Phase {
        /// Between requests, or in the middle of a request line.
        case waiting(since: ContinuousClock.Instant)
        case receiving(Exchange, since: ContinuousClock.Instant)
        case answering(Exchange)
        case closed
    }

    enum Verdict {
        case fine
        /// The server is at work for this exchange, so nobody reads the socket: it has to be looked at.
        case watch(Exchange)
        /// The whole request took too long.
        case tooSlow(Exchange)
        /// No request line came for too long, though bytes did.
        case stale
    }

    let descriptor: Int32
    /// The peer's IP address.
    let address: String
    /// Also held while the descriptor is used, so that it isn't closed meanwhile.
    private let phase: Mutex<Phase>

    init(descriptor: Int32, address: String) {
        self.descriptor = descriptor
        self.address = address
        phase = Mutex(.waiting(since: .now))
    }

    var exchange: Exchange? {
        phase.withLock {
            switch $0 {
            case .receiving(let exchange, _), .answering(let exchange): exchange
            case .waiting, .closed: nil
            }
        }
    }

    /// A request line came.
    func begin(_ exchange: Exchange) {
        phase.withLock { $0 = .receiving(exchange, since: .now) }
    }

    /// The request is here as a whole.
    func received(_ exchange: Exchange) {
        phase.withLock { $0 = .answering(exchange) }
    }

    /// The answer is out; the next request may come.
    func ended() {
        phase.withLock { if case .closed = $0 {} else { $0 = .waiting(since: .now) } }
    }

    /// libmicrohttpd closes the descriptor next.
    func closed() {
        phase.withLock { $0 = .closed }
    }

    func verdict(_ limits: HTTPLimits) -> Verdict {
        phase.withLock {
            switch $0 {
            case .waiting(let since): since.duration(to: .now) > limits.idle + limits.wholeRequest ? .stale : .fine
            case .receiving(let exchange, let since):
                since.duration(to: .now) > limits.wholeRequest ? .tooSlow(exchange) : .fine
            case .answering(let exchange): .watch(exchange)
            case .closed: .fine
            }
        }
    }

    /// Sends an answer past libmicrohttpd, which takes none between a request's headers and its end, and ends the
    /// server's direction. What the client still sends is read and dropped, because closing on unread bytes would
    /// reset the connection and take the answer away from the client (RFC 9112, 9.6).
    func answerEarly(_ response: HTTPResponse) {
        guard case .data(let body) = response.body else { return }
        var head = "HTTP/1.1 \(response.status) \(Self.reason(response.status))\r\n"
        for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
        head += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        let bytes = Data(head.utf8) + body
        phase.withLock {
            if case .closed = $0 { return }
            // A few hundred bytes; where even they don't fit, the client has not read its earlier answers.
            let sent = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
            }
            shutdown(descriptor, Int32(sent == bytes.count ? SHUT_WR : SHUT_RDWR))
        }
    }

    /// Ends both directions; libmicrohttpd sees it and closes.
    func cut() {
        phase.withLock {
            if case .closed = $0 { return }
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
    }

    /// Ends both directions where no request is under way.
    func cutIfWaiting() {
        phase.withLock { if case .waiting = $0 { shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }
}

extension Wire {
    /// The words beside a status in an early answer.
    fileprivate static func reason(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        default: "Error"
        }
    }
}
