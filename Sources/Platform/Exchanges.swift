import Foundation
import FoundationNetworking
import Synchronization

/// The requests that are under way in a session, each with what has come of its answer.
package final class Exchanges: NSObject, URLSessionDataDelegate, Sendable {
    package typealias Answer = (head: HTTPURLResponse, body: Data)

    /// An answer grew past its limit.
    package struct TooLong: Error {}
    /// An answer that is not of HTTP.
    package struct NotHTTP: Error {}

    /// Of the body of an answer that tells an error; what is past it is left unread.
    package static let errorBodyLimit = 64 << 10

    private struct Exchange {
        let continuation: CheckedContinuation<Answer, any Error>
        let limit: Int
        var body = Data()
        /// More came than there is use for.
        var isFull = false
        /// All came, whatever the session says of its end.
        var isWhole = false
    }

    private let open = Mutex<[Int: Exchange]>([:])

    /// Runs a task of this session to its end; when the Swift task is cancelled, it is cancelled too.
    ///
    /// - Parameter limit: of the answer's body, in bytes.
    /// - Throws: `TooLong`, `NotHTTP`, or the session's own error.
    package func run(_ task: URLSessionDataTask, limit: Int) async throws -> Answer {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                open.withLock { $0[task.taskIdentifier] = Exchange(continuation: continuation, limit: limit) }
                task.resume()
            }
        } onCancel: {
            task.cancel()
        }
    }

    package func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let status = (dataTask.response as? HTTPURLResponse)?.statusCode ?? 0
        let isFull = open.withLock { open in
            guard var exchange = open.removeValue(forKey: dataTask.taskIdentifier) else { return false }
            let room = (status >= 400 ? Self.errorBodyLimit : exchange.limit) - exchange.body.count
            exchange.body.append(data.prefix(room))
            exchange.isFull = exchange.isFull || data.count > room
            open[dataTask.taskIdentifier] = exchange
            return exchange.isFull
        }
        if isFull { dataTask.cancel() }
    }

    package func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let exchange = open.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        let result: Result<Answer, any Error>
        let head = task.response as? HTTPURLResponse
        if exchange.isFull, (head?.statusCode ?? 0) < 400 {
            result = .failure(TooLong())
        } else if let head, exchange.isFull || exchange.isWhole || error == nil {
            result = .success((head, exchange.body))
        } else {
            result = .failure(error ?? NotHTTP())
        }
        exchange.continuation.resume(with: result)
    }

    /// A redirect ends the exchange: who may see the credentials next is decided in plain view, not by the session.
    package func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    /// A 401 with Basic ends the exchange as well, with the answer that is already here: declining is the only way out of
    /// a challenge on Linux, where the session's default handling without a credential waits for ever.
    package func urlSession(
        _ session: URLSession, task: URLSessionTask, didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        open.withLock { $0[task.taskIdentifier]?.isWhole = true }
        completionHandler(.cancelAuthenticationChallenge, nil)
    }
}
