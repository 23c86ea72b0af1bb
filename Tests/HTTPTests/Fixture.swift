import Foundation
import HTTP
import Platform
import Synchronization
import TestSupport

/// Runs a server on a free port for the length of a test.
func withServer(
    _ limits: HTTPLimits = HTTPLimits(), handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
    _ test: (HTTPServer, UInt16) async throws -> Void
) async throws {
    let server = HTTPServer(
        host: "127.0.0.1", port: 0, limits: limits, log: Log(threshold: .error), handler: handler)
    try await server.start()
    do {
        try await test(server, await server.port)
    } catch {
        await server.stop(grace: .zero)
        throw error
    }
    await server.stop(grace: .zero)
}

func limits(_ change: (inout HTTPLimits) -> Void) -> HTTPLimits {
    var limits = HTTPLimits()
    change(&limits)
    return limits
}

/// Answers with what it was asked.
@Sendable func echo(_ request: HTTPRequest) async -> HTTPResponse {
    .text(200, "\(request.method) \(request.rawPath) \(request.body.count)")
}

extension HTTPResponse {
    /// Ends with the pieces of the stream.
    static func pieces(_ stream: AsyncStream<String>) -> HTTPResponse {
        let source = PieceSource(stream)
        return HTTPResponse(status: 200, body: .stream { await source.next() })
    }
}

actor PieceSource {
    private var iterator: AsyncStream<String>.Iterator?

    init(_ stream: AsyncStream<String>) {
        iterator = stream.makeAsyncIterator()
    }

    func next() async -> Data? {
        guard var taken = iterator else { return nil }
        iterator = nil
        let piece = await taken.next(isolation: self)
        iterator = taken
        return piece.map { Data($0.utf8) }
    }
}
