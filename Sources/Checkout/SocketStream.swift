import CGit2
import Glibc

/// The sockets of libgit2's transports, so that a `NetworkCall` can end them; TLS and ssh are libgit2's, on top.
enum SocketStream {
    /// Makes every later connection of libgit2 use these streams.
    static func register() {
        var registration = git_stream_registration()
        registration.version = GIT_STREAM_VERSION
        registration.`init` = { out, host, port in SocketStream.make(out, host, port) }
        _ = git_stream_register(GIT_STREAM_STANDARD, &registration)
    }

    private static func make(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_stream>?>?, _ host: UnsafePointer<CChar>?,
        _ port: UnsafePointer<CChar>?
    ) -> Int32 {
        guard let out, let host, let port, let memory = calloc(1, MemoryLayout<slipway_stream>.size) else { return -1 }
        let stream = memory.assumingMemoryBound(to: slipway_stream.self)
        stream.pointee.parent.version = GIT_STREAM_VERSION
        stream.pointee.parent.connect = { SocketStream.connect(SocketStream.slipway($0)) }
        stream.pointee.parent.read = { SocketStream.read(SocketStream.slipway($0), $1, $2) }
        stream.pointee.parent.write = { stream, bytes, count, _ in
            SocketStream.write(SocketStream.slipway(stream), bytes, count)
        }
        stream.pointee.parent.close = { SocketStream.close(SocketStream.slipway($0)) }
        stream.pointee.parent.free = { SocketStream.free(SocketStream.slipway($0)) }
        stream.pointee.host = strdup(host)
        stream.pointee.port = strdup(port)
        stream.pointee.socket = -1
        stream.pointee.call = NetworkCall.current.map { Unmanaged.passRetained($0).toOpaque() }
        out.pointee = memory.assumingMemoryBound(to: git_stream.self)
        return 0
    }

    private typealias Stream = UnsafeMutablePointer<slipway_stream>

    private static func slipway(_ stream: UnsafeMutablePointer<git_stream>?) -> Stream? {
        stream.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: slipway_stream.self) }
    }

    private static func call(of stream: Stream) -> NetworkCall? {
        stream.pointee.call.map { Unmanaged<NetworkCall>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func connect(_ stream: Stream?) -> Int32 {
        guard let stream, let call = call(of: stream) else {
            return fail("a connection was asked for outside of a call")
        }
        let name = String(cString: stream.pointee.host)
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let resolved = getaddrinfo(stream.pointee.host, stream.pointee.port, &hints, &list)
        guard resolved == 0 else {
            return fail("the address of \(name) can't be found: \(String(cString: gai_strerror(resolved)))")
        }
        defer { freeaddrinfo(list) }
        var reason = "no address"
        var next = list
        while let address = next {
            next = address.pointee.ai_next
            let descriptor = socket(
                address.pointee.ai_family, address.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue),
                address.pointee.ai_protocol)
            guard descriptor >= 0 else {
                reason = String(cString: strerror(errno))
                continue
            }
            guard call.opened(descriptor) else {
                _ = Glibc.close(descriptor)
                return fail("the call has ended")
            }
            if establish(descriptor, address.pointee) {
                call.touch()
                stream.pointee.socket = descriptor
                return 0
            }
            reason = String(cString: strerror(errno))
            call.close(descriptor)
            if call.end != nil { return fail("the call has ended") }
        }
        return fail("can't connect to \(name) port \(String(cString: stream.pointee.port)): \(reason)")
    }

    /// Waits in poll, which a shutdown from another thread ends on every kernel; `connect` itself may not.
    private static func establish(_ socket: Int32, _ address: addrinfo) -> Bool {
        let flags = fcntl(socket, F_GETFL)
        guard fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0 else { return false }
        if Glibc.connect(socket, address.ai_addr, address.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else { return false }
            var waiting = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            while poll(&waiting, 1, -1) < 0 {
                guard errno == EINTR else { return false }
            }
            var fault: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(socket, SOL_SOCKET, SO_ERROR, &fault, &length) == 0 else { return false }
            guard fault == 0, waiting.revents & Int16(POLLHUP) == 0 else {
                errno = fault == 0 ? ECONNABORTED : fault
                return false
            }
        }
        return fcntl(socket, F_SETFL, flags) == 0
    }

    private static func read(_ stream: Stream?, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        guard let stream else { return -1 }
        while true {
            let received = recv(stream.pointee.socket, buffer, count, 0)
            if received >= 0 { return received }
            if errno != EINTR { return Int(fail("reading failed: \(String(cString: strerror(errno)))")) }
        }
    }

    private static func write(_ stream: Stream?, _ bytes: UnsafePointer<CChar>?, _ count: Int) -> Int {
        guard let stream else { return -1 }
        while true {
            let sent = send(stream.pointee.socket, bytes, count, Int32(MSG_NOSIGNAL))
            if sent >= 0 { return sent }
            if errno != EINTR { return Int(fail("sending failed: \(String(cString: strerror(errno)))")) }
        }
    }

    private static func close(_ stream: Stream?) -> Int32 {
        guard let stream, stream.pointee.socket >= 0 else { return 0 }
        call(of: stream)?.close(stream.pointee.socket)
        stream.pointee.socket = -1
        return 0
    }

    private static func free(_ stream: Stream?) {
        guard let stream else { return }
        // libgit2 frees some streams that it did not close.
        _ = close(stream)
        Glibc.free(stream.pointee.host)
        Glibc.free(stream.pointee.port)
        if let call = stream.pointee.call { Unmanaged<NetworkCall>.fromOpaque(call).release() }
        Glibc.free(stream)
    }

    private static func fail(_ sentence: String) -> Int32 {
        _ = git_error_set_str(Int32(GIT_ERROR_NET.rawValue), sentence)
        return -1
    }
}
