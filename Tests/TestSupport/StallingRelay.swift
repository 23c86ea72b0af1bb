import Foundation
import Synchronization

/// A loopback server that passes connections on to another, and after some bytes of answer says nothing more.
package final class StallingRelay: Sendable {
    package let port: UInt16
    /// An element for each connection that has fallen silent.
    package let stalls: AsyncStream<Void>

    private let listener: Int32
    private let target: UInt16?
    private let limit: Int
    private let stalled: AsyncStream<Void>.Continuation
    private let sockets = Mutex<[Int32]>([])

    /// - Parameters:
    ///   - target: the port to pass on to; nil takes connections and never answers.
    ///   - limit: how many bytes of the answer get through.
    package init(to target: UInt16? = nil, after limit: Int = 0) throws {
        (listener, port) = try Loopback.listener()
        (stalls, stalled) = AsyncStream.makeStream()
        self.target = target
        self.limit = limit
        Thread.detachNewThread { [self] in accept() }
    }

    package func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        sockets.withLock { sockets in
            for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
        stalled.finish()
    }

    private func accept() {
        while true {
            let client = Foundation.accept(listener, nil, nil)
            guard client >= 0 else {
                close(listener)
                return
            }
            sockets.withLock { $0.append(client) }
            Thread.detachNewThread { [self] in serve(client) }
        }
    }

    private func serve(_ client: Int32) {
        let server = target.flatMap { Loopback.connect($0) } ?? -1
        var passed = 0
        var hasStalled = false
        func stall() {
            guard !hasStalled, passed >= limit else { return }
            hasStalled = true
            stalled.yield()
        }
        if target == nil { stall() }
        var ends = [
            pollfd(fd: client, events: Int16(POLLIN), revents: 0),
            pollfd(fd: server, events: Int16(POLLIN), revents: 0),
        ]
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while poll(&ends, 2, -1) > 0 || errno == EINTR {
            if ends[0].revents != 0 {
                let count = recv(client, &buffer, buffer.count, 0)
                if count <= 0 { break }
                if server >= 0 { send(server, buffer, count, Int32(MSG_NOSIGNAL)) }
            }
            if ends[1].revents != 0 {
                let count = recv(server, &buffer, min(buffer.count, limit - passed), 0)
                if count <= 0 { break }
                passed += count
                send(client, buffer, count, Int32(MSG_NOSIGNAL))
                stall()
                // From here on only the client's end is waited for.
                if hasStalled { ends[1].fd = -1 }
            }
        }
        sockets.withLock { $0.removeAll { $0 == client } }
        close(client)
        if server >= 0 { close(server) }
    }
}
