import Foundation
import Model
import Platform

/// GitHub's way to sign a body: `X-Hub-Signature-256: sha256=<hexadecimal HMAC-SHA256 of the raw body>`.
enum Signature {
    static let header = "X-Hub-Signature-256"

    /// Any of the secrets may have signed. The algorithm is bound to the header, never taken from its value.
    ///
    /// - Throws: `IntakeError.unauthenticated` where no secret is set, or the signature is missing, malformed or wrong.
    static func check(_ inbound: Inbound, secrets: [Secret], repository: RepositoryName) throws(IntakeError) {
        guard !secrets.isEmpty else {
            throw .unauthenticated(
                "\(repository) has no webhook_secret in the settings, so no webhook is taken; set one there and at the Git host"
            )
        }
        guard let value = inbound.header(header), !value.isEmpty else {
            throw .unauthenticated(
                "the header \(header) is missing; give the Git host the webhook_secret of \(repository)")
        }
        guard value.hasPrefix("sha256="), let signature = Data(hex: value.dropFirst(7)), signature.count == 32 else {
            throw .unauthenticated("the header \(header) is not sha256=<64 hexadecimal digits>")
        }
        let genuine = secrets.map { Crypto.hmacSHA256(key: Data($0.value.utf8), inbound.body) }
            // No early end: the time must not tell which secret was nearly right.
            .reduce(false) { Crypto.constantTimeEqual($1, signature) || $0 }
        guard genuine else {
            throw .unauthenticated(
                "the signature is not of this body with the webhook_secret of \(repository); are both the same at the Git host and here?"
            )
        }
    }
}
