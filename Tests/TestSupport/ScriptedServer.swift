import Foundation
import Glibc
import Synchronization

/// An HTTP/1.1 server on loopback that answers as a test says, to provoke what no real server can be made to show.
package final class ScriptedServer: Sendable {
    package struct Request: Sendable {
        /// Of the server's requests, from 0.
        package let number: Int
        /// Of the server's connections, from 0.
        package let connection: Int
        package let method: String
        /// Path and query, as sent.
        package let target: String
        /// By lower-case name.
        package let headers: [String: String]
        package let body: Data
    }

    package enum Reply: Sendable {
        /// A whole answer; `Content-Length` is added, and the connection is kept.
        case answer(Int, [(String, String)] = [], String = "")
        /// These bytes, as they are, and then the end of the connection.
        case raw(String)
        /// The end of the connection, without a byte.
        case cut
        /// Nothing, until the client goes or the server stops.
        case hang
    }

    private struct State {
        var requests: [Request] = []
        var open: Set<Int32> = []
        var connections = 0
        var isStopped = false
    }

    package let port: UInt16
    private let listener: Int32
    private let script: @Sendable (Request) -> Reply
    private let state = Mutex(State())

    package var host: String { "127.0.0.1:\(port)" }
    package var requests: [Request] { state.withLock(\.requests) }
    package var connections: Int { state.withLock(\.connections) }

    /// Listens on a free port.
    package init(_ script: @escaping @Sendable (Request) -> Reply) throws {
        self.script = script
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let bound = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard bound else {
            close(listener)
            throw CocoaError(.fileReadUnknown, userInfo: [NSLocalizedDescriptionKey: "no loopback port to listen on"])
        }
        Thread.detachNewThread { self.accept() }
    }

    /// Ends every connection; the port answers no more.
    package func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            // Wakes the threads that wait in accept and recv, which close what is theirs.
            shutdown(listener, Int32(SHUT_RDWR))
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private func accept() {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            if descriptor < 0 && errno == EINTR { continue }
            let connection: Int? = state.withLock { state in
                guard descriptor >= 0, !state.isStopped else { return nil }
                state.open.insert(descriptor)
                state.connections += 1
                return state.connections - 1
            }
            guard let connection else {
                if descriptor >= 0 { close(descriptor) }
                break
            }
            Thread.detachNewThread { self.serve(descriptor, connection) }
        }
        close(listener)
    }

    private func serve(_ descriptor: Int32, _ connection: Int) {
        var unread = Data()
        while let request = read(descriptor, connection, &unread) {
            switch script(request) {
            case .answer(let status, let headers, let body):
                var head = "HTTP/1.1 \(status) Scripted\r\nContent-Length: \(body.utf8.count)\r\n"
                for (name, value) in headers { head += "\(name): \(value)\r\n" }
                send(head + "\r\n" + (request.method == "HEAD" ? "" : body), to: descriptor)
                continue
            case .raw(let text):
                send(text, to: descriptor)
            case .cut:
                break
            case .hang:
                var byte: UInt8 = 0
                while recv(descriptor, &byte, 1, 0) > 0 {}
            }
            break
        }
        state.withLock { state in
            state.open.remove(descriptor)
            close(descriptor)
        }
    }

    /// Nil at the connection's end.
    private func read(_ descriptor: Int32, _ connection: Int, _ unread: inout Data) -> Request? {
        let separator = Data("\r\n\r\n".utf8)
        var end = unread.firstRange(of: separator)
        while end == nil {
            guard receive(descriptor, &unread) else { return nil }
            // TLS begins with this byte; real servers of plain HTTP answer it so too.
            if unread.first == 0x16 {
                send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", to: descriptor)
                return nil
            }
            end = unread.firstRange(of: separator)
        }
        guard let end else { return nil }
        let lines = String(decoding: unread[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            headers[parts[0].lowercased()] = parts.count > 1 ? parts[1] : ""
        }
        unread = Data(unread[end.upperBound...])
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        if headers["expect"] != nil { send("HTTP/1.1 100 Continue\r\n\r\n", to: descriptor) }
        while unread.count < length {
            guard receive(descriptor, &unread) else { return nil }
        }
        let body = Data(unread.prefix(length))
        unread = Data(unread.dropFirst(length))
        return state.withLock { state in
            let request = Request(
                number: state.requests.count, connection: connection, method: String(words[0]),
                target: String(words[1]),
                headers: headers, body: body)
            state.requests.append(request)
            return request
        }
    }

    private func receive(_ descriptor: Int32, _ data: inout Data) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        data.append(contentsOf: buffer[..<count])
        return true
    }

    private func send(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }
}
