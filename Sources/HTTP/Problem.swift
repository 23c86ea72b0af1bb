import Foundation

/// An error as HTTP tells it (RFC 9457, `application/problem+json`).
package struct Problem: Sendable, Encodable {
    /// An address that names the kind of problem; `about:blank` where the status says it all.
    package var type: String
    package var title: String
    package var status: Int
    /// What was tried, on what, and what to do about it.
    package var detail: String?
    /// Further members; a name that the RFC has taken is left out.
    package var extra: [String: any Encodable & Sendable]

    package init(
        status: Int, title: String, detail: String? = nil, type: String = "about:blank",
        extra: [String: any Encodable & Sendable] = [:]
    ) {
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.extra = extra
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Member.self)
        for (name, value) in extra where !Member.taken.contains(name) {
            try container.encode(value, forKey: Member(name))
        }
        try container.encode(type, forKey: Member("type"))
        try container.encode(title, forKey: Member("title"))
        try container.encode(status, forKey: Member("status"))
        try container.encodeIfPresent(detail, forKey: Member("detail"))
    }

    private struct Member: CodingKey {
        static let taken: Set = ["type", "title", "status", "detail"]
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) {
            stringValue = name
        }

        init?(stringValue: String) {
            self.init(stringValue)
        }

        init?(intValue: Int) {
            nil
        }
    }
}

extension HTTPResponse {
    package static func problem(_ problem: Problem, headers: [(name: String, value: String)] = []) -> HTTPResponse {
        var response = json(problem.status, problem, headers: headers)
        // Where the members couldn't be written, the answer is a problem of its own already.
        if response.status == problem.status { response.headers[0].value = "application/problem+json" }
        return response
    }

    package static func problem(
        _ status: Int, title: String, detail: String? = nil, headers: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        problem(Problem(status: status, title: title, detail: detail), headers: headers)
    }
}
