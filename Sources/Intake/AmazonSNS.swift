import Foundation
import Model
import Platform

/// Proves messages of Amazon SNS by their signatures, and confirms subscriptions.
///
/// The signatures prove only that a customer of Amazon's sent a message; which topics count is asked before.
actor AmazonSNS {
    /// Gets what is at an address of Amazon's; redirects are not followed.
    ///
    /// - Throws: `IntakeError.sourceSilent` where there is no whole answer.
    typealias Fetch = @Sendable (URL) async throws -> (status: Int, body: Data)

    /// Amazon changes a region's certificate about once a year.
    private static let certificateLimit = 16
    /// Whoever knows a topic can have addresses asked that hold no certificate.
    private static let fetchLimit = 4

    private let fetch: Fetch
    /// Those that have proven a message, by address.
    private var certificates: [URL: Crypto.Certificate] = [:]
    private var fetches: [URL: Task<Crypto.Certificate, any Error>] = [:]

    init(fetch: @escaping Fetch) {
        self.fetch = fetch
    }

    /// - Parameter now: when the certificate has to be valid.
    /// - Throws: `IntakeError.unauthenticated`; `IntakeError.sourceSilent` where Amazon gives no certificate.
    func verify(_ message: SNSMessage, now: Date) async throws {
        let hash: Crypto.Certificate.Hash
        switch message.signatureVersion {
        case "1": hash = .sha1
        case "2": hash = .sha256
        case let other:
            throw IntakeError.unauthenticated(
                "the message's SignatureVersion is \"\(other.excerpt())\"; 1 and 2 are known")
        }
        guard let text = message.signedText else {
            throw IntakeError.unauthenticated("the message's Type is \"\(message.type.excerpt())\", which nobody knows")
        }
        guard let address = message.amazonsOwn(message.certificate), address.path.hasSuffix(".pem"),
            address.query == nil, let url = address.url
        else {
            throw IntakeError.unauthenticated(
                "the message's SigningCertURL is no certificate at Amazon SNS in the region of its topic; it was not asked"
            )
        }
        guard let signature = Data(base64Encoded: message.signature) else {
            throw IntakeError.unauthenticated("the message's Signature is not in base64")
        }
        let certificate = try await certificate(url)
        guard certificate.validFrom <= now, now <= certificate.validUntil else {
            certificates[url] = nil
            throw IntakeError.unauthenticated(
                "the certificate that signed the message is valid only from \(Timestamp.text(certificate.validFrom)) "
                    + "until \(Timestamp.text(certificate.validUntil))")
        }
        guard certificate.verifies(signature, of: Data(text.utf8), hash) else {
            throw IntakeError.unauthenticated("the message's Signature is not Amazon's; was the message changed?")
        }
        if certificates.count >= Self.certificateLimit { certificates = [:] }
        certificates[url] = certificate
    }

    /// Visits the address that a confirmation brings, after which Amazon sends the topic's messages.
    ///
    /// - Throws: `IntakeError.sourceSilent` with what Amazon answered; `IntakeError.unreadable` where the address is
    ///   none for that.
    func confirm(_ message: SNSMessage) async throws {
        guard let address = message.subscribe.flatMap(message.amazonsOwn), address.path == "/",
            address.queryItems?.filter({ $0.name == "Action" }).map(\.value) == ["ConfirmSubscription"],
            let url = address.url
        else {
            // Not shown: it holds the token that confirms.
            throw IntakeError.unreadable(
                "the message's SubscribeURL confirms nothing at Amazon SNS in the region of its topic; it was not asked"
            )
        }
        let (status, body) = try await fetch(url)
        guard status == 200 else {
            throw IntakeError.sourceSilent(
                "the subscription to \(message.topic) could not be confirmed: Amazon SNS answered \(status): "
                    + String(decoding: body, as: UTF8.self).excerpt(300))
        }
    }

    private func certificate(_ url: URL) async throws -> Crypto.Certificate {
        if let known = certificates[url] { return known }
        if let underWay = fetches[url] { return try await underWay.value }
        guard fetches.count < Self.fetchLimit else {
            throw IntakeError.sourceSilent("too many certificates are being got from Amazon SNS; send it again")
        }
        let fetch = fetch
        let task = Task {
            let (status, body) = try await fetch(url)
            guard status == 200, let certificate = Crypto.Certificate(pem: body) else {
                throw IntakeError.sourceSilent(
                    "Amazon SNS has no RSA certificate at \(url.absoluteString): it answered \(status)")
            }
            return certificate
        }
        fetches[url] = task
        defer { fetches[url] = nil }
        return try await task.value
    }
}
