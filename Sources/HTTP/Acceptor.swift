import CMicroHTTPD
import Foundation

/// Takes connections from the listening socket and gives them to libmicrohttpd.
///
/// libmicrohttpd could listen by itself, but ends the process where its accepting is stopped while a thread of its
/// pool is at its limit (MHD_quiesce_daemon, 0.9.75), and it counts limits per thread.
final class Acceptor: @unchecked Sendable {
    // All of it is used on the queue only.
    private let descriptor: Int32
    private let core: ServerCore
    private let daemon: OpaquePointer
    private let queue: DispatchQueue
    private let source: any DispatchSourceRead
    private var isPaused = false
    private var isClosed = false

    /// - Parameter descriptor: listens, doesn't block, and is closed with the acceptor.
    init(_ descriptor: Int32, _ core: ServerCore, _ daemon: OpaquePointer, on queue: DispatchQueue) {
        self.descriptor = descriptor
        self.core = core
        self.daemon = daemon
        self.queue = queue
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self] in self?.accept() }
        core.whenRoomFreed { [weak self] in queue.async { [weak self] in self?.goOn() } }
        source.resume()
    }

    /// Stops accepting; when it returns the address is free and no connection is given on any more.
    func close() async {
        core.whenRoomFreed(nil)
        let descriptor = descriptor
        await withCheckedContinuation { done in
            queue.async {
                self.isClosed = true
                self.source.setCancelHandler {
                    Glibc.close(descriptor)
                    done.resume()
                }
                self.source.cancel()
                // A paused source doesn't tell that it was cancelled.
                self.goOn()
            }
        }
    }

    private func goOn() {
        guard isPaused else { return }
        isPaused = false
        source.resume()
    }

    private func pause() {
        isPaused = true
        source.suspend()
    }

    private func accept() {
        while !isClosed {
            guard core.hasRoom else {
                pause()
                // One that closed since then found nobody paused.
                if core.hasRoom { goOn() }
                return
            }
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    mhd_accept(descriptor, $0, &length)
                }
            }
            guard accepted >= 0 else { return failed(errno) }
            guard let wire = core.admit(accepted, address: Self.text(&storage, length)) else {
                Glibc.close(accepted)
                continue
            }
            let added = withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    MHD_add_connection(daemon, accepted, $0, length)
                }
            }
            // It closed the descriptor, and said why in the log.
            if added != .YES { core.remove(wire) }
        }
    }

    private func failed(_ code: Int32) {
        switch code {
        case EAGAIN, EINTR, ECONNABORTED: break
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            core.log.warning(
                "no connection can be accepted for a second: the system is out of descriptors or memory; raise the limit of open files",
                ["reason": String(cString: strerror(code))])
            // Asking at once would only be refused again, as fast as the processor can.
            pause()
            queue.asyncAfter(deadline: .now() + 1) { [weak self] in self?.goOn() }
        default:
            core.log.warning("a connection was not accepted", ["reason": String(cString: strerror(code))])
        }
    }

    private static func text(_ storage: inout sockaddr_storage, _ length: socklen_t) -> String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getnameinfo($0, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
            }
        }
        guard code == 0 else { return "unknown" }
        let text = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
    }
}
