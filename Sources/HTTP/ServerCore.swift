import CMicroHTTPD
import Foundation
import Platform
import Synchronization

/// What all connections of a server share.
final class ServerCore: Sendable {
    fileprivate struct State {
        /// By descriptor.
        var wires: [Int32: Wire] = [:]
        var perAddress: [String: Int] = [:]
        var mostWires = 0
        var roomFreed: (@Sendable () -> Void)?
        var exchangeEnded: AsyncStream<Void>.Continuation?
    }

    let limits: HTTPLimits
    let log: Log
    let handler: @Sendable (HTTPRequest) async -> HTTPResponse
    /// The 413, which is the same for all.
    let tooLarge: HTTPResponse
    private let state = Mutex(State())
    private let bodyBytes = Atomic(0)
    private let exchanges = Atomic(0)
    private let draining = Atomic(false)
    private let aborted = Atomic(false)

    init(limits: HTTPLimits, log: Log, handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse) {
        self.limits = limits
        self.log = log
        self.handler = handler
        tooLarge = .problem(
            413, title: "Content Too Large", detail: "The body is longer than \(limits.body) bytes, which is the limit."
        )
    }

    // Connections

    /// - Returns: nil where the peer's address has as many connections as it may.
    func admit(_ descriptor: Int32, address: String) -> Wire? {
        state.withLock { state -> Wire? in
            guard state.perAddress[address, default: 0] < limits.perAddress else { return nil }
            let wire = Wire(descriptor: descriptor, address: address)
            // One that is still there never got started, or its descriptor would be open.
            if let stale = state.wires.updateValue(wire, forKey: descriptor) { state.forget(stale) }
            state.perAddress[address, default: 0] += 1
            state.mostWires = max(state.mostWires, state.wires.count)
            return wire
        }
    }

    func remove(_ wire: Wire) {
        wire.closed()
        let roomFreed = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.wires[wire.descriptor] === wire else { return nil }
            state.wires[wire.descriptor] = nil
            state.forget(wire)
            return state.roomFreed
        }
        roomFreed?()
    }

    func wire(_ descriptor: Int32) -> Wire? {
        state.withLock { $0.wires[descriptor] }
    }

    var wires: [Wire] {
        state.withLock { Array($0.wires.values) }
    }

    var hasRoom: Bool {
        state.withLock { $0.wires.count < limits.connections }
    }

    /// Open connections now, and the most that there were at once.
    var connections: (now: Int, most: Int) {
        state.withLock { ($0.wires.count, $0.mostWires) }
    }

    /// - Parameter body: called after each connection that closes.
    func whenRoomFreed(_ body: (@Sendable () -> Void)?) {
        state.withLock { $0.roomFreed = body }
    }

    // Exchanges

    func begin(_ wire: Wire, target: String) -> Exchange {
        let exchange = Exchange(core: self, wire: wire, target: target)
        wire.begin(exchange)
        // `abort` sets the mark before it looks at the wires, so one of the two sees this exchange.
        if aborted.load(ordering: .sequentiallyConsistent) { exchange.abort() }
        return exchange
    }

    func count(_ change: Int) {
        exchanges.add(change, ordering: .relaxed)
    }

    /// Exchanges in memory.
    var liveExchanges: Int {
        exchanges.load(ordering: .relaxed)
    }

    func exchangeEnded() {
        state.withLock { $0.exchangeEnded }?.yield()
    }

    // Bodies

    /// - Returns: false where all bodies together would be more than may be held.
    func holdBody(_ count: Int) -> Bool {
        let held = bodyBytes.add(count, ordering: .relaxed).newValue
        if held <= limits.bodiesInMemory { return true }
        bodyBytes.subtract(count, ordering: .relaxed)
        return false
    }

    func holdBody(release count: Int) {
        bodyBytes.subtract(count, ordering: .relaxed)
    }

    // Stopping, in this order

    var isDraining: Bool {
        draining.load(ordering: .sequentiallyConsistent)
    }

    /// No connection takes a further request, and streams are told to end.
    func drain() {
        draining.store(true, ordering: .sequentiallyConsistent)
        for wire in wires {
            wire.exchange?.drain()
            wire.cutIfWaiting()
        }
    }

    /// Waits until no request is under way, or the task is cancelled.
    func quiet() async {
        let (ends, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0.exchangeEnded = continuation }
        // The first look comes after the subscription, so that no end is missed.
        continuation.yield()
        for await _ in ends where !isBusy { return }
    }

    var isBusy: Bool {
        wires.contains { $0.exchange != nil }
    }

    func cancelHandlers() {
        for wire in wires { wire.exchange?.cancel() }
    }

    /// From here on no connection is suspended, which libmicrohttpd's stop demands.
    func abort() {
        aborted.store(true, ordering: .sequentiallyConsistent)
        for wire in wires { wire.exchange?.abort() }
    }
}

extension ServerCore.State {
    fileprivate mutating func forget(_ wire: Wire) {
        let left = perAddress[wire.address, default: 1] - 1
        perAddress[wire.address] = left > 0 ? left : nil
    }
}
