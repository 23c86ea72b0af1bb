import Dispatch
import Glibc
import Synchronization

/// The scope of one conversation with a Git host: it ends in the middle when the task is cancelled or the host falls silent.
///
/// libgit2 1.5 waits for a silent host for ever, inside `recv` or `poll`. Every socket that it uses is made by
/// `SocketStream` and noted here, so that another thread can shut it down: the waiting call then sees the end of the
/// stream and returns.
final class NetworkCall: Sendable {
    enum End: Sendable {
        case cancelled
        case silent
    }

    private struct State {
        var sockets: Set<Int32> = []
        var end: End?
        var heard: ContinuousClock.Instant
    }

    /// The call that the running task is in; readable inside C callbacks, like `Task.isCancelled`.
    @TaskLocal static var current: NetworkCall?

    private let clock = ContinuousClock()
    private let state: Mutex<State>

    private init() {
        state = Mutex(State(heard: clock.now))
    }

    var end: End? { state.withLock(\.end) }

    /// Runs blocking calls of libgit2.
    ///
    /// - Parameter silence: how long the host may send and take nothing.
    /// - Throws: `CancellationError`, `Silent`, or what `body` throws.
    static func run<Value: Sendable>(
        silence: Duration, isolation: isolated (any Actor)? = #isolation, _ body: (NetworkCall) throws -> Value
    ) async throws -> Value {
        let call = NetworkCall()
        let timer = call.watch(silence)
        defer { timer.cancel() }
        do {
            return try await withTaskCancellationHandler {
                // A closure stays on its caller's actor, and so on its queue, only if it captures it.
                _ = isolation
                try Task.checkCancellation()
                return try $current.withValue(call) { try body(call) }
            } onCancel: {
                call.stop(.cancelled)
            }
        } catch {
            switch call.end {
            case .cancelled: throw CancellationError()
            case .silent:
                throw Silent(
                    seconds: Double(silence.components.seconds) + Double(silence.components.attoseconds) * 1e-18)
            case nil: throw error
            }
        }
    }

    struct Silent: Error {
        let seconds: Double
    }

    /// Notes that something happened, so that work between two reads is not taken for silence.
    func touch() {
        state.withLock { $0.heard = clock.now }
    }

    func stop(_ end: End) {
        state.withLock { state in
            guard state.end == nil else { return }
            state.end = end
            // Under the lock: after `closed` the number may be another file's.
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// - Returns: false where the call has ended already; the socket is then not to be used.
    func opened(_ socket: Int32) -> Bool {
        state.withLock { state in
            guard state.end == nil else { return false }
            state.sockets.insert(socket)
            state.heard = clock.now
            return true
        }
    }

    /// Forgets and closes a socket.
    func close(_ socket: Int32) {
        state.withLock { state in
            state.sockets.remove(socket)
            _ = Glibc.close(socket)
        }
    }

    private func watch(_ silence: Duration) -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: .global())
        let (seconds, attoseconds) = silence.components
        let interval = max(5, (Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)) / 8)
        timer.schedule(deadline: .now() + .milliseconds(interval), repeating: .milliseconds(interval))
        timer.setEventHandler { [self] in
            let quiet = state.withLock { state in
                !state.sockets.isEmpty && clock.now - state.heard > silence
                    && state.sockets.allSatisfy { Self.sinceTraffic($0).map { $0 > silence } ?? true }
            }
            if quiet { stop(.silent) }
        }
        timer.activate()
        return timer
    }

    /// The time since a socket last sent or received data (tcp(7), TCP_INFO); nil where it can't be asked.
    private static func sinceTraffic(_ socket: Int32) -> Duration? {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        guard getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return nil }
        return .milliseconds(min(info.tcpi_last_data_recv, info.tcpi_last_data_sent))
    }
}
