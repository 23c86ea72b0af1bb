import Foundation

/// What the service and the genuine senders share.
enum Secrets {
    /// For webhooks; of two, as while one takes the other's place, and a signing token beside them.
    static let shared = ["known to both sides of the line", "the one before it", signing]
    static let signing = "whsec_" + key.base64EncodedString()
    static let key = Data("thirty-two bytes of a signing key".utf8)
    static let trigger = "the-token-of-acme-shop-for-triggers"
    static let access = "the-token-of-an-operator"

    static var all: [String] { shared + [trigger, access] }
}
