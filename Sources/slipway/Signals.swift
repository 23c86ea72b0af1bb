@preconcurrency import Dispatch
import Foundation

/// The signals by which a service is asked to stop: SIGTERM and SIGINT.
final class Signals: Sendable {
    private let asked: AsyncStream<Void>
    private let sources: [any DispatchSourceSignal]

    init() {
        let (asked, asking) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.asked = asked
        sources = [SIGTERM, SIGINT].map { number in
            // The default action would end the process before the source is asked.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { asking.yield() }
            source.resume()
            return source
        }
        // A terminal that closes is no wish to stop.
        signal(SIGHUP, SIG_IGN)
    }

    /// Comes back when the service is asked to stop.
    func stop() async {
        var asked = asked.makeAsyncIterator()
        await asked.next()
    }
}
