import Foundation
import Platform

/// A TCP connection to a server on this machine, for bytes that no HTTP client would send.
///
/// What blocks does so on a queue of its own, and with a deadline.
package actor RawConnection {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let executor = QueueExecutor(label: "test.connection")
    private var descriptor: Int32

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    package init(port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            let reason = String(cString: strerror(errno))
            Glibc.close(descriptor)
            throw Failure(description: "connecting to port \(port) failed: \(reason)")
        }
        self.descriptor = descriptor
    }

    /// - Returns: false where the server no longer takes bytes.
    @discardableResult
    package func send(_ text: String) -> Bool {
        send(Data(text.utf8))
    }

    @discardableResult
    package func send(_ data: Data) -> Bool {
        var rest = data[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    /// Reads until the text is there.
    package func read(until text: String, within limit: Duration = .seconds(20)) throws -> String {
        var read = Data()
        let wanted = Data(text.utf8)
        let end = ContinuousClock.now + limit
        while read.range(of: wanted) == nil {
            guard let more = try receive(until: end) else {
                throw Failure(
                    description: "the server closed before \"\(text)\", after: \(String(decoding: read, as: UTF8.self))"
                )
            }
            read += more
        }
        return String(decoding: read, as: UTF8.self)
    }

    /// Reads until the server closes, also where it resets the connection.
    package func readToEnd(within limit: Duration = .seconds(20)) throws -> String {
        var read = Data()
        let end = ContinuousClock.now + limit
        while let more = try receive(until: end) { read += more }
        return String(decoding: read, as: UTF8.self)
    }

    /// Ends this side of the connection only.
    package func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    package func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    private func receive(until end: ContinuousClock.Instant) throws -> Data? {
        let left = ContinuousClock.now.duration(to: end).seconds
        var socket = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard left > 0, poll(&socket, 1, Int32(left * 1000) + 1) > 0 else {
            throw Failure(description: "the server said nothing more before the deadline")
        }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Data(buffer.prefix(count)) : nil
    }
}
