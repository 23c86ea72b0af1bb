@preconcurrency import Dispatch
import Foundation
import Synchronization

/// The signals by which a service is asked to stop, SIGTERM and SIGINT, or to read its settings again, SIGHUP.
final class Signals: Sendable {
    private let asked: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]
    private let hungUp = Mutex<(@Sendable () -> Void)?>(nil)
    private let hangups: any DispatchSourceSignal

    init() {
        let (asked, asking) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.asked = asked
        sources = [SIGTERM, SIGINT].map { number in
            let source = Self.source(of: number, queue: .global())
            source.setEventHandler { asking.yield() }
            source.resume()
            return source
        }
        // One after the other, and off the threads that tasks share, as it reads files.
        hangups = Self.source(of: SIGHUP, queue: DispatchQueue(label: "slipway.hangups"))
        hangups.setEventHandler { [weak self] in self?.hungUp.withLock { $0 }?() }
        hangups.resume()
    }

    private static func source(of number: Int32, queue: DispatchQueue) -> any DispatchSourceSignal {
        // The default action would end the process before the source is asked.
        signal(number, SIG_IGN)
        return DispatchSource.makeSignalSource(signal: number, queue: queue)
    }

    /// Comes back when the service is asked to stop.
    func stop() async {
        var asked = asked.makeAsyncIterator()
        await asked.next()
    }

    /// - Parameter body: called after each SIGHUP, those that come together counting as one. Before there is one, SIGHUP
    ///   does nothing: a terminal that closes is no wish to stop.
    func whenHungUp(_ body: @escaping @Sendable () -> Void) {
        hungUp.withLock { $0 = body }
    }
}
