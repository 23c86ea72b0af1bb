import Dispatch
import Foundation
import Synchronization

/// Stands between a client and a real server on loopback, to hold, cut or refuse their connections on demand.
package final class TCPProxy: Sendable {
    package enum Mode: Sendable, Equatable {
        /// Bytes pass.
        case open
        /// Connections are taken and bytes wait, both ways.
        case held
        /// Every connection breaks as soon as a byte passes.
        case broken
        /// Whatever a client sends is answered with this, and the connection ends.
        case answering(String)
        /// So many bytes of the next answer of each connection pass, and then it is reset.
        case cutting(after: Int)
    }

    package let port: UInt16
    private let listener: Int32
    private let target: UInt16
    private let state: Mutex<State>

    private struct State {
        var mode = Mode.open
        var sockets: Set<Int32> = []
        var stopped = false
        var connections = 0
        /// Bytes from clients that came while they were held.
        var heldBytes = 0

        /// Under the lock, as every close is: once closed, a socket's number may be another file's.
        func breakAll() {
            for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    package init(to target: UInt16) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = Self.loopback(0)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, listen(listener, 64) == 0 else { throw POSIXError(.EADDRINUSE) }
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
        }
        self.target = target
        self.listener = listener
        state = Mutex(State())
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in accepting() }
    }

    package var mode: Mode {
        get { state.withLock { $0.mode } }
        set {
            state.withLock { state in
                state.mode = newValue
                state.heldBytes = 0
                if newValue == .broken { state.breakAll() }
            }
        }
    }

    /// Whether a client is being held with bytes to send.
    package var holds: Bool { state.withLock { $0.mode == .held && $0.heldBytes > 0 } }

    /// How many connections there were.
    package var connections: Int { state.withLock(\.connections) }

    /// Breaks what there is and refuses what comes; a second call does nothing.
    package func stop() {
        state.withLock { state in
            guard !state.stopped else { return }
            state.stopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            state.breakAll()
        }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private func accepting() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else {
                state.withLock { state in
                    state.stopped = true
                    close(listener)
                }
                return
            }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(target)
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            let isTaken = state.withLock { state in
                guard connected == 0, !state.stopped else { return false }
                state.connections += 1
                state.sockets.formUnion([client, server])
                return true
            }
            guard isTaken else {
                close(client)
                close(server)
                continue
            }
            let ends = DispatchSemaphore(value: 0)
            Thread.detachNewThread { [self] in
                copy(client, server, fromClient: true)
                ends.signal()
            }
            Thread.detachNewThread { [self] in
                copy(server, client, fromClient: false)
                ends.wait()
                state.withLock { state in
                    state.sockets.subtract([client, server])
                    close(client)
                    close(server)
                }
            }
        }
    }

    private static let zeros = sockaddr().sa_data

    private func copy(_ from: Int32, _ to: Int32, fromClient: Bool) {
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        var cut = false
        copying: while true {
            var count = read(from, &buffer, buffer.count)
            guard count > 0 else { break }
            var (counted, mode) = (false, Mode.open)
            while true {
                let stopped: Bool
                (mode, stopped) = state.withLock { state in
                    if state.mode == .held && fromClient && !counted { state.heldBytes += count }
                    return (state.mode, state.stopped)
                }
                counted = true
                if mode == .broken || stopped { break copying }
                if mode != .held { break }
                usleep(5000)
            }
            var sent = 0
            switch mode {
            case .answering(let text) where fromClient:
                Array(text.utf8).withUnsafeBytes { _ = send(from, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                break copying
            case .cutting(let limit) where !fromClient:
                count = min(count, limit)
                cut = true
            default: break
            }
            while sent < count {
                let written = buffer.withUnsafeBytes {
                    send(to, $0.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
                }
                guard written > 0 else { break copying }
                sent += written
            }
            if cut {
                // By a reset, not by an orderly end, which within an answer's head ends a process with URLSession.
                var nobody = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: Self.zeros)
                connect(to, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
                break
            }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }
}
