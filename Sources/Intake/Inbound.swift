import Foundation

/// A request as it came in, as far as Intake looks at it.
package struct Inbound: Sendable {
    /// Nil where the header is missing; names in any case.
    package let header: @Sendable (_ name: String) -> String?
    /// The raw bytes, which are what senders sign.
    package let body: Data
    package let remoteAddress: String
    package let receivedAt: Date

    package init(
        body: Data, remoteAddress: String, receivedAt: Date, header: @escaping @Sendable (_ name: String) -> String?
    ) {
        self.header = header
        self.body = body
        self.remoteAddress = remoteAddress
        self.receivedAt = receivedAt
    }

    /// Whether the sender says that the body is a form.
    var saysForm: Bool {
        header("Content-Type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false
    }
}
