import Foundation
import FoundationNetworking
import Model
import Platform

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
final class Transport: Sendable {
    private static let redirectLimit = 5

    private let client = WebClient()
    private let timeout: Duration
    private let userAgent: String

    /// - Parameter timeout: for one request, from the connection to the last byte.
    init(userAgent: String, timeout: Duration) {
        self.timeout = timeout
        self.userAgent = userAgent
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
        guard let url = request.url else { throw RegistryError.notARegistry(operation, why: "it has no address") }
        do {
            let answer = try await client.send(request, limit: limit)
            return Response(status: answer.status, headers: answer.headers, body: answer.body, url: url)
        } catch let error as WebError {
            switch error.kind {
            case .unreachable: throw RegistryError.unreachable(operation, why: error.why)
            case .untrusted: throw RegistryError.untrusted(operation, why: error.why)
            case .notHTTP: throw RegistryError.notARegistry(operation, why: error.why)
            case .brokenOff, .unsendable: throw RegistryError.brokenOff(operation, why: error.why)
            case .tooLong: throw RegistryError.tooLarge(operation, limit: limit)
            }
        }
    }
}
