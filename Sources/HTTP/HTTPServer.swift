import CMicroHTTPD
import Foundation
import Platform

/// An HTTP/1.1 server on libmicrohttpd that answers from a Swift task for each request.
///
/// `start`, then `stop`; a server starts once. Without `stop` it runs until the process ends.
package actor HTTPServer {
    private struct Running {
        let daemon: OpaquePointer
        let callbacks: UnsafeMutablePointer<mhd_callbacks>
        let acceptor: Acceptor
        let watch: Watch
    }

    private let host: String
    private let core: ServerCore
    // Stopping waits for libmicrohttpd's threads, so the actor stays off Swift's pool.
    private let executor = QueueExecutor(label: "slipway.http")
    private let queue = DispatchQueue(label: "slipway.http.sockets")
    private var running: Running?
    private var stopping: Task<Void, Never>?
    private var wasStarted = false
    /// The port that is listened on; where 0 was asked for, the one that the system chose, once started.
    package private(set) var port: UInt16

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// - Parameters:
    ///   - host: an IPv4 or IPv6 address, or `localhost`, which is 127.0.0.1; `::` takes IPv4 too.
    ///   - port: 0 takes a free one.
    ///   - handler: is called once for each request that is here as a whole and within the limits; many run at once.
    ///     Its task is cancelled when the client goes away, which is seen within two seconds.
    package init(
        host: String, port: UInt16, limits: HTTPLimits = HTTPLimits(), log: Log,
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) {
        self.host = host
        self.port = port
        core = ServerCore(limits: limits, log: log, handler: handler)
    }

    /// Listens and answers from here on.
    package func start() throws(HTTPServerError) {
        let shown = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        guard !wasStarted else { throw .startedBefore(shown) }
        let listener = try Listener(host: host, port: port)
        let callbacks = UnsafeMutablePointer<mhd_callbacks>.allocate(capacity: 1)
        callbacks.initialize(to: ServerCore.callbacks(core))
        let limits = core.limits
        var sizes = mhd_limits(
            // Ours count first, and for all threads together.
            connections: UInt32(clamping: (limits.connections + 1) * max(limits.threads, 1) * 2),
            idle_seconds: UInt32(clamping: Int(limits.idle.seconds.rounded(.up))),
            // A pool of one is refused: 0 is a single thread.
            threads: limits.threads > 1 ? UInt32(clamping: limits.threads) : 0,
            connection_memory: limits.headers, stack: 512 << 10)
        guard let daemon = mhd_start(callbacks, &sizes) else {
            callbacks.deallocate()
            close(listener.descriptor)
            throw .refused(shown)
        }
        // The callbacks' context; given back when the daemon has stopped.
        _ = Unmanaged.passRetained(core)
        wasStarted = true
        port = listener.port
        running = Running(
            daemon: daemon, callbacks: callbacks,
            acceptor: Acceptor(listener.descriptor, core, daemon, on: queue), watch: Watch(core, on: queue))
    }

    /// Stops accepting, lets requests end within `grace`, and closes.
    ///
    /// Streams are cancelled at once, other handlers when the grace is over; those then have a second, or the grace
    /// where that is shorter, to answer. Who calls while another stop is under way waits for that one.
    package func stop(grace: Duration) async {
        if let stopping { return await stopping.value }
        guard let running else { return }
        self.running = nil
        // A task of its own, so that the caller's cancellation doesn't leave the server half stopped.
        let task = Task { await shutDown(running, grace) }
        stopping = task
        await task.value
    }

    private func shutDown(_ running: Running, _ grace: Duration) async {
        await running.acceptor.close()
        let core = core
        core.drain()
        _ = await withDeadline(grace) { await core.quiet() }
        if core.isBusy {
            core.cancelHandlers()
            _ = await withDeadline(min(grace, .seconds(1))) { await core.quiet() }
        }
        core.abort()
        running.watch.stop()
        MHD_stop_daemon(running.daemon)
        running.callbacks.deallocate()
        Unmanaged.passUnretained(core).release()
    }

    /// Open connections, the most that there were at once, and requests that are still in memory.
    package nonisolated var load: (connections: Int, mostConnections: Int, requests: Int) {
        let connections = core.connections
        return (connections.now, connections.most, core.liveExchanges)
    }
}
