import Foundation
import Model
import Platform

/// Signatures of the Standard Webhooks specification (1.0, "Signature scheme"), of its symmetric kind.
enum StandardWebhooks {
    /// What its keys begin with; the key itself follows in base64.
    static let keyPrefix = "whsec_"

    /// How far the sender's clock and ours may be apart, in seconds; older requests may be somebody's replay.
    private static let tolerance: TimeInterval = 300

    /// Checks `webhook-signature`, which may hold several signatures while keys change: one by any of the keys is enough.
    ///
    /// - Parameters:
    ///   - keys: secrets that begin with `keyPrefix`.
    ///   - trust: whose keys they are.
    /// - Throws: `IntakeError.unauthenticated`.
    static func check(_ inbound: Inbound, keys: [Secret], _ trust: Trust) throws(IntakeError) {
        guard let id = inbound.header("webhook-id").filled else {
            throw .unauthenticated(
                "the header webhook-id is missing or empty; webhook-signature can't be checked without")
        }
        // Until the year 9999: what lies further off is no time that anybody signed at.
        guard let timestamp = inbound.header("webhook-timestamp"), let seconds = Int64(timestamp),
            (0...253_402_300_799).contains(seconds)
        else {
            throw .unauthenticated("the header webhook-timestamp is missing or not the seconds since 1970")
        }
        let signatures = (inbound.header("webhook-signature") ?? "").split(separator: " ")
            .filter { $0.hasPrefix("v1,") }.compactMap { Data(base64Encoded: String($0.dropFirst(3))) }
        guard !signatures.isEmpty else {
            throw .unauthenticated("the header webhook-signature holds no v1,<base64>")
        }
        let bytes = keys.compactMap { Data(base64Encoded: String($0.value.dropFirst(keyPrefix.count))) }
            // Anybody could sign with an empty key.
            .filter { !$0.isEmpty }
        guard !bytes.isEmpty else {
            throw .unauthenticated(
                "no webhook_secret of \(trust.owner) is \(keyPrefix)<base64>, as signing tokens are; copy it once more")
        }
        let signed = Data("\(id).\(timestamp).".utf8) + inbound.body
        let genuine = bytes.map { Crypto.hmacSHA256(key: $0, signed) }.reduce(false) { known, code in
            signatures.reduce(known) { Crypto.constantTimeEqual(code, $1) || $0 }
        }
        guard genuine else { throw .unauthenticated(trust.wrong("signature")) }
        let sentAt = Date(timeIntervalSince1970: TimeInterval(seconds))
        guard abs(inbound.receivedAt.timeIntervalSince(sentAt)) <= tolerance else {
            throw .unauthenticated(
                "the webhook was signed at \(Timestamp.text(sentAt)) by the sender's clock, and here it is "
                    + "\(Timestamp.text(inbound.receivedAt)): more than 5 minutes apart; set the clocks, or send it anew"
            )
        }
    }
}
