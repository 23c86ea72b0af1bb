import Foundation
import Platform
import TestSupport

/// A topic of Amazon SNS with a key of its own.
///
/// The key's exponent is 1, so that a signature is its own padding and whoever knows the certificate signs: what is looked
/// at here is which messages are taken, not how hard a key is.
enum Topic {
    static let arn = "arn:aws:sns:eu-west-1:123456789012:pushes"
    static let host = "sns.eu-west-1.amazonaws.com"
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIHRMIG7oAMCAQICAQEwDQYJKoZIhvcNAQELBQAwETEPMA0GA1UEAwwGbm9ib2R5
        MCAXDTIwMDEwMTAwMDAwMFoYDzk5OTkxMjMxMjM1OTU5WjARMQ8wDQYDVQQDDAZu
        b2JvZHkwWjANBgkqhkiG9w0BAQEFAANJADBGAkEA////////////////////////
        /////////////////////////////////////////////////////////////QIB
        ATANBgkqhkiG9w0BAQsFAAMCAAE=
        -----END CERTIFICATE-----

        """

    /// Each with a name and a value, in the order in which they are signed.
    static func signature(of fields: [String: String]) -> Data? {
        let names: [String]
        switch fields["Type"] {
        case "Notification": names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        case "SubscriptionConfirmation", "UnsubscribeConfirmation":
            names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        default: return nil
        }
        let text = names.compactMap { name in fields[name].map { "\(name)\n\($0)\n" } }.joined()
        // EMSA-PKCS1-v1_5 for SHA-256 and a modulus of 64 bytes (RFC 8017, 9.2).
        let digest: [UInt8] = [
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
            0x20,
        ]
        let hash = digest + Crypto.sha256(Data(text.utf8))
        return Data([0, 1] + [UInt8](repeating: 0xff, count: 61 - hash.count) + [0] + hash)
    }

    /// A message as the topic sends it, with a signature of what its fields say.
    static func message(_ text: String, _ random: inout Random, isOdd: Bool) -> [String: String] {
        var fields = [
            "Type": "Notification", "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e", "TopicArn": arn,
            "Message": text,
            "Timestamp": "2026-11-21T02:43:08.120Z", "SignatureVersion": "2",
            "SigningCertURL": "https://\(host)/SimpleNotificationService-0123456789abcdef.pem",
            "UnsubscribeURL": "https://\(host)/?Action=Unsubscribe&SubscriptionArn=\(arn):1",
        ]
        if isOdd {
            switch random.below(9) {
            case 0: fields["Subject"] = random.pick(["", "UPDATE", "\u{0}\n"])
            case 1, 2:
                fields["Type"] = random.pick(["SubscriptionConfirmation", "UnsubscribeConfirmation", "Other", ""])
                fields["Token"] = "2336412f37"
                fields["SubscribeURL"] = random.pick([
                    "https://\(host)/?Action=ConfirmSubscription&TopicArn=\(arn)&Token=2336412f37",
                    "https://\(host)/?Action=Unsubscribe", "https://evil.example.com/?Action=ConfirmSubscription",
                    "https://\(host)@evil.example.com/?Action=ConfirmSubscription", "http://\(host)/", "",
                ])
            case 3:
                fields["SigningCertURL"] = random.pick([
                    "https://\(host):443/other.pem", "https://\(host)/nothing.pem", "https://\(host)/x.pem?a=b",
                    "https://\(host)/../x.pem", "http://\(host)/x.pem", "https://\(host).evil.example.com/x.pem",
                    "https://\(host)@evil.example.com/x.pem", "https://\(host)\\@evil.example.com/x.pem",
                    "https://sns.us-east-1.amazonaws.com/x.pem", "", "https://\(host)/é\u{0}.pem",
                    "https://\(host)/\(random.below(1000)).pem",
                ])
            case 4:
                fields["TopicArn"] = random.pick([arn + "x", "", "arn:aws:sns:evil.example.com/:1:pushes", ":::::"])
            case 5: fields["SignatureVersion"] = random.pick(["1", "3", ""])
            case 6: fields[random.pick(fields.keys.sorted())] = nil
            case 7: fields["MessageId"] = random.pick(["", String(repeating: "é", count: 5000)])
            default: fields["Timestamp"] = random.pick(["", "never"])
            }
        }
        fields["Signature"] = signature(of: fields)?.base64EncodedString() ?? "AA=="
        return fields
    }
}
