import Foundation
import Queue

/// A request as it came in, as far as Intake looks at it.
package struct Inbound: Sendable {
    package let headers: [Header]
    /// The raw bytes, which are what senders sign.
    package let body: Data
    package let remoteAddress: String
    package let receivedAt: Date

    package init(headers: [Header], body: Data, remoteAddress: String, receivedAt: Date) {
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
        self.receivedAt = receivedAt
    }

    /// A header's value; names in any case. Nil where it is missing.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Whether the sender says that the body is a form.
    var saysForm: Bool {
        header("Content-Type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false
    }
}

extension String? {
    /// The text; nil where it is missing or empty, which some senders take for the same.
    var filled: String? { self == "" ? nil : self }
}
