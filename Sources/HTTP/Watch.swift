import Foundation

/// Looks at all connections once a second: which request takes too long, and which client is gone.
///
/// libmicrohttpd doesn't read a suspended connection's socket, so it never learns that a client who waits for a
/// handler or a stream has hung up; one poll(2) over those sockets tells it for all of them.
struct Watch: @unchecked Sendable {
    // Dispatch sources may be cancelled from any thread.
    private let timer: any DispatchSourceTimer

    init(_ core: ServerCore, on queue: DispatchQueue) {
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(100))
        timer.setEventHandler { Self.look(core) }
        timer.resume()
    }

    func stop() {
        timer.cancel()
    }

    static func look(_ core: ServerCore) {
        var watched: [Exchange] = []
        var sockets: [pollfd] = []
        for wire in core.wires {
            switch wire.verdict(core.limits) {
            case .fine: break
            case .stale: wire.cut()
            case .tooSlow(let exchange): exchange.timeOut()
            case .watch(let exchange):
                watched.append(exchange)
                sockets.append(pollfd(fd: wire.descriptor, events: Int16(hungUp), revents: 0))
            }
        }
        // A descriptor that was closed and reused meanwhile tells on an exchange that has ended, which is harmless.
        guard !sockets.isEmpty, poll(&sockets, UInt(sockets.count), 0) > 0 else { return }
        for (exchange, socket) in zip(watched, sockets) where Int32(socket.revents) & (hungUp | POLLHUP | POLLERR) != 0
        {
            exchange.clientWent()
        }
    }

    /// POLLRDHUP of Linux' poll(2): the peer closed its side.
    private static let hungUp: Int32 = 0x2000
}
