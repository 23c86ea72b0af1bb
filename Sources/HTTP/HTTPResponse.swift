import Foundation
import Platform

/// What a handler answers.
package struct HTTPResponse: Sendable {
    package enum Body: Sendable {
        case data(Data)
        /// A body that comes bit by bit. `next` is asked again once what it gave was taken by the connection; nil ends
        /// the body well, an error breaks the connection off, so that the client can tell. The task that asks is
        /// cancelled when the client goes away or the server stops.
        case stream(next: @Sendable () async throws -> Data?)
    }

    package var status: Int
    /// Without `Content-Length`, `Transfer-Encoding`, `Date` and `Connection`: those are the server's.
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(status: Int, headers: [(name: String, value: String)] = [], body: Body = .data(Data())) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package static func text(_ status: Int, _ text: String, type: String = "text/plain; charset=utf-8") -> HTTPResponse
    {
        HTTPResponse(status: status, headers: [("Content-Type", type)], body: .data(Data(text.utf8)))
    }

    /// The value as JSON, with times as the API has them.
    ///
    /// A value that JSON can't hold (a number that isn't finite) is answered with a 500 that says so.
    package static func json(
        _ status: Int, _ value: some Encodable, headers: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        do {
            let data = try jsonEncoder().encode(value)
            return HTTPResponse(
                status: status, headers: [("Content-Type", "application/json")] + headers, body: .data(data))
        } catch {
            return .problem(500, title: "Not JSON", detail: "The answer can't be written as JSON: \(error)")
        }
    }

    /// One encoder for every answer: slashes as they are, times as RFC 3339 in UTC.
    package static func jsonEncoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(Timestamp.text(date))
        }
        return encoder
    }
}
