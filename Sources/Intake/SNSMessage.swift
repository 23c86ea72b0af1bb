import Foundation
import Model

/// A message of Amazon SNS, as it sends them over HTTP (docs.aws.amazon.com, "Parsing Amazon SNS message formats").
struct SNSMessage: Decodable, Sendable {
    /// `Notification`, `SubscriptionConfirmation`, `UnsubscribeConfirmation`.
    var type: String
    /// The same when the message is sent again.
    var id: String
    /// The topic's ARN.
    var topic: String
    var subject: String?
    var text: String
    var timestamp: String
    var signatureVersion: String
    /// In base64.
    var signature: String
    /// Where the certificate is whose key signed.
    var certificate: String
    /// Of confirmations only, as is the token.
    var subscribe: String?
    var token: String?

    private enum CodingKeys: String, CodingKey {
        case type = "Type"
        case id = "MessageId"
        case topic = "TopicArn"
        case subject = "Subject"
        case text = "Message"
        case timestamp = "Timestamp"
        case signatureVersion = "SignatureVersion"
        case signature = "Signature"
        case certificate = "SigningCertURL"
        case subscribe = "SubscribeURL"
        case token = "Token"
    }

    /// Of a whole message, in bytes. Amazon lets a text have 256 KiB (docs.aws.amazon.com, "Amazon SNS quotas"), which
    /// JSON's escapes may double; anybody may send one, and it is read before it is proved.
    static let longest = 1 << 20

    static func read(_ body: Data) throws(IntakeError) -> SNSMessage {
        guard body.count <= longest else {
            throw .unreadable("the message has \(body.count) bytes; Amazon SNS sends none of more than \(longest)")
        }
        do {
            return try JSONDecoder().decode(Self.self, from: body)
        } catch {
            throw .unreadable(Unreadable.sentence(body, error, wanted: "a message of Amazon SNS"))
        }
    }

    /// What is signed: names and values in the order of the names' bytes, a line each ("Verifying the signatures of
    /// Amazon SNS messages"); nil where the type is not known.
    var signedText: String? {
        let fields: [(CodingKeys, String?)]
        switch type {
        case "Notification":
            fields = [
                (.text, text), (.id, id), (.subject, subject), (.timestamp, timestamp), (.topic, topic), (.type, type),
            ]
        case "SubscriptionConfirmation", "UnsubscribeConfirmation":
            fields = [
                (.text, text), (.id, id), (.subscribe, subscribe), (.timestamp, timestamp), (.token, token),
                (.topic, topic), (.type, type),
            ]
        default: return nil
        }
        return fields.compactMap { key, value in value.map { "\(key.rawValue)\n\($0)\n" } }.joined()
    }

    /// Takes apart an address at the SNS of the topic's own region: `https://sns.eu-west-1.amazonaws.com/…`, in China
    /// with `.cn` at the end of the host.
    ///
    /// - Returns: nil for any other address: nothing else is asked, whatever a message says.
    func amazonsOwn(_ address: String) -> URLComponents? {
        let arn = topic.split(separator: ":", omittingEmptySubsequences: false)
        guard arn.count == 6, arn[0] == "arn", arn[2] == "sns", !arn[3].isEmpty,
            arn[3].utf8.allSatisfy({ $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "-") })
        else { return nil }
        let host = "sns.\(arn[3]).amazonaws.com" + (arn[1] == "aws-cn" ? ".cn" : "")
        // Compared as text first: what an odd address has for a host is not the same to all who read it.
        guard ["", ":443"].contains(where: { address.hasPrefix("https://\(host)\($0)/") }),
            let parts = URLComponents(string: address), parts.host == host, parts.user == nil, parts.fragment == nil
        else { return nil }
        return parts
    }
}
