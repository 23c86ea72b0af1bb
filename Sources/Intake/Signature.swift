import Foundation
import Model
import Platform

/// A body signed with a shared secret: the hexadecimal HMAC-SHA256 of its bytes (RFC 2104).
enum Signature {
    /// Any of the secrets may have signed. Algorithm and prefix are the host's and bound to the header, never taken from
    /// its value.
    ///
    /// - Parameters:
    ///   - prefix: what stands before the digits: `sha256=`; empty where nothing does.
    ///   - signed: the bytes that the host signs, which for some is not the body as it was sent.
    /// - Throws: `IntakeError.unauthenticated` where no secret is set, or the signature is missing, malformed or wrong.
    static func check(
        _ value: String?, in header: String, prefix: String, of signed: Data, _ trust: Trust
    ) throws(IntakeError) {
        let secrets = try trust.needed()
        guard let value, value.count > prefix.count else {
            throw .unauthenticated(
                "the header \(header) is missing or empty; give the Git host the webhook_secret of \(trust.owner)")
        }
        guard value.hasPrefix(prefix), let signature = Data(hex: value.dropFirst(prefix.count)), signature.count == 32
        else {
            throw .unauthenticated("the header \(header) is not \(prefix)<64 hexadecimal digits>")
        }
        let genuine = secrets.map { Crypto.hmacSHA256(key: Data($0.value.utf8), signed) }
            // No early end: the time must not tell which secret was nearly right.
            .reduce(false) { Crypto.constantTimeEqual($1, signature) || $0 }
        guard genuine else { throw .unauthenticated(trust.wrong("signature")) }
    }

    /// As Gitea, Forgejo and Gogs sign: bare digits over the JSON, even where that travels in a form.
    static func check(jsonOf inbound: Inbound, in header: String, _ trust: Trust) throws(IntakeError) {
        let json: Data
        do throws(IntakeError) {
            json = try inbound.json()
        } catch {
            throw .unauthenticated("the signature can't be checked: \(error)")
        }
        try check(inbound.header(header), in: header, prefix: "", of: json, trust)
    }
}

extension Trust {
    /// The secrets, of which there is at least one.
    func needed() throws(IntakeError) -> [Secret] {
        guard secrets.isEmpty else { return secrets }
        throw .unauthenticated(
            "\(owner) has no webhook_secret, so no webhook is taken; set one in the settings and at the Git host")
    }

    /// - Parameter proof: `signature`, `token`, `password`.
    func wrong(_ proof: String) -> String {
        "the \(proof) does not fit the webhook_secret of \(owner); are both the same at the Git host and here?"
    }
}
