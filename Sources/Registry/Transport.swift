import Foundation
import FoundationNetworking
import Model
import Platform
import Synchronization

/// One answer, whole.
struct Response: Sendable {
    let status: Int
    /// By lower-case name; the values of headers sent more than once are joined with commas.
    let headers: [String: String]
    let body: Data
    /// Where the answer came from, after redirects.
    let url: URL
}

/// Sends requests and follows redirects, with bounds on time and size; knows nothing of registries.
///
/// One session is kept for all requests without a body, with its connections. A kept connection that the server had closed
/// is replaced inside libcurl, which then sends once more; besides that nothing is sent twice. A body is always sent over
/// a connection of its own, because on Linux the session can't send it once more, and waits for ever instead.
///
/// There are no cookies, no cache and no stored credentials. On Linux the session has one trap that
/// can't be caught from here: an answer whose connection is closed in order after the status line, but before the end
/// of its headers, ends the process. Servers write both at once, and a connection that is torn down instead is an error
/// like any other.
final class Transport: Sendable {
    private static let redirectLimit = 5

    private let kept = Mutex<URLSession?>(nil)
    private let exchanges: Exchanges
    private let timeout: Duration
    private let userAgent: String

    /// - Parameter timeout: for one request, from the connection to the last byte.
    init(userAgent: String, timeout: Duration) {
        self.timeout = timeout
        self.userAgent = userAgent
        exchanges = Exchanges()
    }

    /// Made with the first request: libcurl and what it brings take megabytes that an idle service need not have.
    private var session: URLSession {
        kept.withLock { kept in
            let session =
                kept ?? URLSession(configuration: Self.configuration(), delegate: exchanges, delegateQueue: nil)
            kept = session
            return session
        }
    }

    private static func configuration() -> URLSessionConfiguration {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpCookieStorage = nil
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        configuration.urlCredentialStorage = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        configuration.httpMaximumConnectionsPerHost = 16
        return configuration
    }

    deinit {
        // A session keeps itself and its delegate alive until then.
        kept.withLock { $0?.invalidateAndCancel() }
    }

    /// Sends a request, and for GET and HEAD follows its redirects; the `Authorization` header stays with its origin.
    ///
    /// - Parameters:
    ///   - limit: of the answer's body in bytes; the body of an error is cut at 64 KiB.
    ///   - operation: what the errors say was tried.
    /// - Throws: `RegistryError`, or `CancellationError` when the task is cancelled.
    func send(_ request: URLRequest, limit: Int, _ operation: RegistryOperation) async throws -> Response {
        var request = request
        request.setValue(userAgent, forHTTPHeaderField: "User-Agent")
        request.timeoutInterval = timeout.seconds
        for _ in 0...Self.redirectLimit {
            let response = try await sendOnce(request, limit: limit, operation)
            guard [301, 302, 303, 307, 308].contains(response.status) else { return response }
            guard
                let target = response.headers["location"].flatMap({
                    URL(string: $0, relativeTo: response.url)?.absoluteURL
                }),
                ["http", "https"].contains(target.scheme?.lowercased()), target.user == nil
            else {
                throw RegistryError.notARegistry(operation, why: "it redirects to no usable address")
            }
            guard request.httpMethod == "GET" || request.httpMethod == "HEAD" else {
                throw RegistryError.notARegistry(
                    operation, why: "it redirects what should be stored to \(target.origin)")
            }
            if target.scheme?.lowercased() == "http" && response.url.scheme?.lowercased() == "https" {
                throw RegistryError.unsafe(operation, why: "it redirects from HTTPS to plain HTTP at \(target.origin)")
            }
            if target.origin != response.url.origin { request.setValue(nil, forHTTPHeaderField: "Authorization") }
            request.url = target
        }
        throw RegistryError.notARegistry(operation, why: "it redirects more than \(Self.redirectLimit) times")
    }

    private func sendOnce(_ request: URLRequest, limit: Int, _ operation: RegistryOperation) async throws -> Response {
        try Task.checkCancellation()
        guard let url = request.url else { throw RegistryError.notARegistry(operation, why: "it has no address") }
        let exchanges = request.httpBody == nil ? exchanges : Exchanges()
        let session =
            request.httpBody == nil
            ? session : URLSession(configuration: Self.configuration(), delegate: exchanges, delegateQueue: nil)
        defer { if request.httpBody != nil { session.finishTasksAndInvalidate() } }
        let task = session.dataTask(with: request)
        let answer: Exchanges.Answer?
        do {
            answer = try await withDeadline(timeout) { try await exchanges.run(task, limit: limit) }
        } catch {
            try Task.checkCancellation()
            throw Self.error(error, limit: limit, operation)
        }
        guard let answer else {
            try Task.checkCancellation()
            throw RegistryError.unreachable(operation, why: "no whole answer within \(Int(timeout.seconds)) s")
        }
        let headers = answer.head.allHeaderFields.map { ("\($0)".lowercased(), "\($1)") }
        return Response(
            status: answer.head.statusCode, headers: Dictionary(headers) { "\($0), \($1)" }, body: answer.body, url: url
        )
    }

    private static func error(_ error: any Error, limit: Int, _ operation: RegistryOperation) -> RegistryError {
        if error is Exchanges.TooLong { return .tooLarge(operation, limit: limit) }
        guard let error = error as? URLError else { return .brokenOff(operation, why: "\(error)") }
        let why = error.localizedDescription
        switch error.code {
        case .timedOut, .cannotConnectToHost, .cannotFindHost, .dnsLookupFailed, .notConnectedToInternet:
            return .unreachable(operation, why: why)
        case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
            .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid, .clientCertificateRejected,
            .clientCertificateRequired:
            return .untrusted(operation, why: why)
        case .cannotParseResponse, .unsupportedURL, .badURL:
            return .notARegistry(operation, why: why)
        case .unknown where why.contains("SSL") || why.contains("certificate"):
            // libcurl's failures of TLS have no code of their own here; the words are OpenSSL's.
            return .untrusted(operation, why: why)
        default:
            return .brokenOff(operation, why: why)
        }
    }
}
