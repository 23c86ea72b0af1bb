import CMicroHTTPD
import Foundation
import Synchronization

/// libmicrohttpd's connection. It may be resumed from any thread, and everything else is done on its own thread.
struct ConnectionHandle: @unchecked Sendable {
    let pointer: OpaquePointer
}

/// One request and its answer, from the request line to the last byte.
///
/// libmicrohttpd's thread calls `proceed`, `receive` and `read`; the handler's task answers and feeds; the watch and
/// the server's stop break it off. The connection is resumed under the lock and only while it is suspended, and
/// `finish`, after which libmicrohttpd may free it, takes the same lock.
final class Exchange: Sendable {
    enum Phase {
        case head
        case receiving
        /// Answered past libmicrohttpd; what still comes is dropped, up to twice what a body may have.
        case refused(dropped: Int)
        case working
        case answered(HTTPResponse)
        case sending
        case gone
    }

    struct State {
        var phase = Phase.head
        var method = ""
        var headers: [(name: String, value: String)] = []
        var body = Data()
        var connection: ConnectionHandle?
        var isSuspended = false
        var isAborted = false
        var task: Task<Void, Never>?
        var stream = BodyStream()
    }

    let core: ServerCore
    let wire: Wire
    private let target: Result<RequestTarget, MalformedTarget>
    let state = Mutex(State())

    init(core: ServerCore, wire: Wire, target: String) {
        self.core = core
        self.wire = wire
        do {
            self.target = .success(try RequestTarget(target))
        } catch {
            self.target = .failure(error)
        }
        core.count(1)
    }

    deinit {
        core.count(-1)
    }

    /// The request line and headers came, or the whole request did, or the connection was resumed.
    ///
    /// - Returns: false to close the connection.
    func proceed(_ connection: ConnectionHandle, method: String) -> Bool {
        state.withLock { state in
            state.connection = connection
            if state.isAborted { return false }
            switch state.phase {
            case .head:
                begin(&state, connection, method: method)
                return true
            case .receiving:
                wire.received(self)
                return start(&state)
            case .working:
                suspend(&state)
                return true
            case .answered(let response):
                return transmit(response, &state)
            case .refused, .sending, .gone:
                return false
            }
        }
    }

    /// Part of the body came.
    ///
    /// - Returns: false to close the connection.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // A pointer is no value to send into the lock; the bytes are copied once, here.
        let bytes = Data(bytes)
        return state.withLock { state in
            if state.isAborted { return false }
            switch state.phase {
            case .receiving:
                if state.body.count + bytes.count > core.limits.body {
                    refuse(&state, core.tooLarge)
                } else if !core.holdBody(bytes.count) {
                    refuse(
                        &state,
                        .problem(
                            503, title: "Service Unavailable",
                            detail: "The server holds as many request bodies as it may; try again in a moment.",
                            headers: [("Retry-After", "1")]))
                } else {
                    state.body.append(bytes)
                }
                return true
            case .refused(let dropped):
                state.phase = .refused(dropped: dropped + bytes.count)
                return dropped + bytes.count <= max(2 * core.limits.body, 1 << 20)
            case .head, .working, .answered, .sending, .gone:
                return false
            }
        }
    }

    private func begin(_ state: inout State, _ connection: ConnectionHandle, method: String) {
        state.method = method
        state.headers = ServerCore.headers(connection)
        let lengths = state.headers.filter { $0.name.isSameHeader(as: "Content-Length") }.map(\.value)
        let encodings = state.headers.filter { $0.name.isSameHeader(as: "Transfer-Encoding") }.map(\.value)
        state.phase = .receiving
        // Two opinions on where a request ends are how requests are smuggled (RFC 9112, 6.3).
        if Set(lengths).count > 1 || (!lengths.isEmpty && !encodings.isEmpty) {
            refuse(
                &state, .problem(400, title: "Bad Request", detail: "The headers disagree about the body's length."))
        } else if let encoding = encodings.first, encodings.count > 1 || encoding.lowercased() != "chunked" {
            refuse(
                &state,
                .problem(501, title: "Not Implemented", detail: "The only transfer encoding known here is chunked."))
        } else if let length = lengths.first, Int(length) ?? .max > core.limits.body {
            // libmicrohttpd has refused what is no number; 2^64 - 1 is its own word for a length that isn't known.
            refuse(&state, core.tooLarge)
        }
    }

    private func start(_ state: inout State) -> Bool {
        guard case .success(let target) = target else {
            return transmit(badTarget, &state)
        }
        let request = HTTPRequest(
            method: state.method, target: target, headers: state.headers, body: state.body,
            remoteAddress: wire.address)
        state.headers = []
        state.phase = .working
        suspend(&state)
        // It waits for the lock where it answers at once.
        state.task = Task { await self.work(request) }
        return true
    }

    private var badTarget: HTTPResponse {
        guard case .failure(let error) = target else { return .problem(400, title: "Bad Request") }
        return .problem(400, title: "Bad Request", detail: "The request can't be read: \(error).")
    }

    private func work(_ request: HTTPRequest) async {
        let response = await core.handler(request)
        let isStream = if case .stream = response.body { true } else { false }
        let goesOn = state.withLock { state in
            guard case .working = state.phase, !state.isAborted else { return false }
            state.phase = .answered(response)
            resume(&state)
            // A stream that begins while the server stops is told so before its first bytes.
            if isStream && core.isDraining { state.task?.cancel() }
            return true
        }
        if goesOn, case .stream(let next) = response.body, request.method != "HEAD" { await pump(next) }
    }

    private func refuse(_ state: inout State, _ response: HTTPResponse) {
        core.holdBody(release: state.body.count)
        state.body = Data()
        state.phase = .refused(dropped: 0)
        wire.answerEarly(response)
    }

    func suspend(_ state: inout State) {
        guard let connection = state.connection, !state.isSuspended else { return }
        MHD_suspend_connection(connection.pointer)
        state.isSuspended = true
    }

    func resume(_ state: inout State) {
        guard let connection = state.connection, state.isSuspended else { return }
        state.isSuspended = false
        MHD_resume_connection(connection.pointer)
    }
}
