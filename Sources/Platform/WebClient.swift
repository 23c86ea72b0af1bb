import Foundation
import FoundationNetworking

/// Sends HTTP requests, any number at once, over connections that are kept.
///
/// libcurl does it, on a thread of the client's own that begins with the first request. A kept connection that the
/// server had closed is replaced there, and the request sent once more; besides that nothing is sent twice. There are no
/// redirects, no cookies, no cache and no stored credentials; the environment's proxies count.
package final class WebClient: Sendable {
    package struct Answer: Sendable {
        package let status: Int
        /// By lower-case name; the values of headers sent more than once are joined with commas.
        package let headers: [String: String]
        package let body: Data
    }

    /// Of the body of an answer that tells an error; what is past it is left unread.
    package static let errorBodyLimit = 64 << 10

    private let loop = WebLoop()

    package init() {}

    deinit { loop.end() }

    /// Sends a request whose `timeoutInterval` is the bound from its beginning to the answer's last byte.
    ///
    /// - Parameter limit: of the answer's body, in bytes; that of an error is cut at `errorBodyLimit`.
    /// - Throws: `WebError`, or `CancellationError` when the task is cancelled.
    package func send(_ request: URLRequest, limit: Int) async throws -> Answer {
        try Task.checkCancellation()
        let transfer = try WebTransfer(request, limit: limit)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { loop.begin(transfer, $0) }
        } onCancel: {
            loop.cancel(transfer)
        }
    }
}

/// Why there was no answer.
package struct WebError: Error, Equatable {
    package enum Kind: Sendable {
        /// No connection, or no whole answer in time.
        case unreachable
        /// No secure connection, or to another than was meant.
        case untrusted
        /// What answers does not speak HTTP.
        case notHTTP
        /// The connection ended in the middle.
        case brokenOff
        /// The answer grew past its limit.
        case tooLong
        /// The request could not be made.
        case unsendable
    }

    package let kind: Kind
    /// In libcurl's words.
    package let why: String
}
