import Foundation

/// One request, read whole.
package struct HTTPRequest: Sendable {
    /// As sent: methods are case-sensitive (RFC 9110, 9.1).
    package var method: String
    /// The path's segments, percent-decoded; empty for `/`. A trailing slash makes no segment.
    package var path: [String]
    package var hasTrailingSlash: Bool
    /// The path as it was sent, without the query. It may hold a trigger's token, so it goes to no log.
    package var rawPath: String
    /// In the order sent, percent-decoded, `+` as a space.
    package var query: [(name: String, value: String)]
    /// In the order sent, repeated ones kept, names as the client wrote them.
    package var headers: [(name: String, value: String)]
    package var body: Data
    /// The peer's IP address as text; an IPv4 address in its own form also where the socket is IPv6.
    package var remoteAddress: String

    /// - Throws: `MalformedTarget` where `target` (path and query) can't be percent-decoded.
    package init(
        method: String = "GET", target: String, headers: [(name: String, value: String)] = [], body: Data = Data(),
        remoteAddress: String = "127.0.0.1"
    ) throws(MalformedTarget) {
        self.init(
            method: method, target: try RequestTarget(target), headers: headers, body: body,
            remoteAddress: remoteAddress)
    }

    init(
        method: String, target: RequestTarget, headers: [(name: String, value: String)], body: Data,
        remoteAddress: String
    ) {
        self.method = method
        self.path = target.path
        self.hasTrailingSlash = target.hasTrailingSlash
        self.rawPath = target.rawPath
        self.query = target.query
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
    }

    /// The first value of this name; nil where there is none.
    package func query(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }

    /// The first header of this name, in any case; nil where there is none.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.isSameHeader(as: name) }?.value
    }

    /// Every header of this name, in any case.
    package func headers(_ name: String) -> [String] {
        headers.filter { $0.name.isSameHeader(as: name) }.map(\.value)
    }

    /// The body as a form (`application/x-www-form-urlencoded`).
    ///
    /// - Throws: `MalformedTarget` where it isn't UTF-8 or an escape in it is broken.
    package func form() throws(MalformedTarget) -> [(name: String, value: String)] {
        guard let text = String(validating: body, as: UTF8.self) else {
            throw MalformedTarget("the form must be UTF-8 text")
        }
        return try RequestTarget.pairs(text)
    }
}

extension String {
    /// Names of headers compare without case (RFC 9110, 5.1); they are ASCII.
    func isSameHeader(as name: String) -> Bool {
        utf8.count == name.utf8.count && zip(utf8, name.utf8).allSatisfy { $0 == $1 || $0.lowered == $1.lowered }
    }
}

extension UInt8 {
    fileprivate var lowered: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
