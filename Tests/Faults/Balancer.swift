import Foundation
import Synchronization
import TestSupport

/// Stands before several servers on the host of whoever asks: each request goes to the next of them, once.
final class Balancer: Sendable {
    private let sender: NetworkHost
    private let servers: [String]
    private let counts: Counts
    private let next = Mutex(0)
    /// As long as GitHub waits for an answer, and as the most patient do.
    private static let patience = [10, 60]

    init(sender: NetworkHost, servers: [String], counts: Counts) {
        (self.sender, self.servers, self.counts) = (sender, servers, counts)
    }

    /// - Returns: nil where that server does not answer; whoever asks again reaches another.
    func send(_ method: String, _ path: String, _ headers: [String: String], _ body: Data?) async -> Service.Reply? {
        let (server, patience) = next.withLock { next in
            next += 1
            return (servers[next % servers.count], Self.patience[next / servers.count % Self.patience.count])
        }
        var words = [
            "-sS", "--connect-timeout", "2", "--max-time", "\(patience)", "-w", "\n%{http_code}", "-X", method,
        ]
        for (name, value) in headers.merging(["Authorization": "Bearer \(Desk.token)-ops"], uniquingKeysWith: { $1 }) {
            words += ["-H", "\(name): \(value)"]
        }
        if body != nil { words += ["--data-binary", "@-"] }
        let said = try? await sender.run("curl", words + [server + path], input: body)
        guard let said, let end = said.lastIndex(of: "\n"), let status = Int(said[said.index(after: end)...]),
            status > 0
        else {
            counts.add("no answer of \(server)")
            return nil
        }
        return Service.Reply(status: status, body: Data(said[..<end].utf8))
    }
}
