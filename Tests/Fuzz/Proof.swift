import Foundation
import Platform
import Queue
import TestSupport

/// How a sender makes a request of a payload, and proves it.
enum Proof: Sendable {
    /// `prefix` and the hexadecimal HMAC-SHA256 of the body, or of the JSON also where that travels in a form.
    case hmac(header: String, prefix: String, ofJSON: Bool)
    /// The secret itself, or a signature of the Standard Webhooks specification, or both.
    case gitlab
    /// The secret as a password.
    case basic
    /// A message of Amazon SNS around the payload.
    case topic
    /// In the address.
    case address
    /// A bearer token.
    case bearer

    enum Strength: Sendable {
        /// As the sender would.
        case good
        /// Of the payload before it was changed.
        case ofAnother
        /// By somebody who knows no secret.
        case guessed
    }
}

extension Sample {
    /// The request that carries a payload.
    ///
    /// - Parameter isOdd: whether what is around the payload may be odd as well, before it is proved.
    func request(_ payload: Data, _ strength: Proof.Strength, isOdd: Bool, _ random: inout Random) -> Request {
        var request = Request(name: name, path: path, headers: headers, body: body(payload))
        let signed = strength == .ofAnother ? self.payload : payload
        let secret = strength == .guessed ? "a guess" : random.pick(Secrets.shared)
        switch proof {
        case .hmac(let header, let prefix, let ofJSON):
            let code = Crypto.hmacSHA256(key: Data(secret.utf8), ofJSON ? signed : body(signed)).hex
            request.headers.append(Header(header, prefix + code))
        case .gitlab:
            let isToken = random.oneIn(2)
            if isToken || random.oneIn(5) {
                let token = strength == .guessed ? secret : random.pick(Array(Secrets.shared.prefix(2)))
                request.headers.append(Header("X-Gitlab-Token", isToken ? token : ""))
            }
            if !isToken || random.oneIn(5) {
                let id = random.oneIn(8) ? "" : "msg_\(random.below(1000))"
                let past = isOdd ? random.pick([0, 299, 301, -301, 1 << 40, -(1 << 62)]) : 0
                let time = "\(Target.now &- past)"
                let key = strength == .guessed ? Data("a guess".utf8) : Secrets.key
                let code = Crypto.hmacSHA256(key: key, Data("\(id).\(time).".utf8) + body(signed)).base64EncodedString()
                let other = random.oneIn(3) ? "v1,AAAA v1a,\(code) v1,==== " : ""
                request.headers += [
                    Header("webhook-id", id), Header("webhook-timestamp", time),
                    Header("webhook-signature", other + "v1,\(code)"),
                ]
            }
        case .basic:
            let user = isOdd ? random.pick(["", "é:", "a:b"]) : "anybody"
            request.headers.append(
                Header("Authorization", "Basic " + Data("\(user):\(secret)".utf8).base64EncodedString()))
        case .topic:
            var message = Topic.message(String(decoding: payload, as: UTF8.self), &random, isOdd: isOdd)
            switch strength {
            case .good: break
            case .ofAnother: message["Message"] = String(decoding: payload + Data(" ".utf8), as: UTF8.self)
            case .guessed: message["Signature"] = Data(count: 64).base64EncodedString()
            }
            request.headers.append(Header("x-amz-sns-message-type", message["Type"] ?? ""))
            let members = message.sorted { $0.key < $1.key }.map { JSON.Member(name: $0.key, value: .text($0.value)) }
            request.body = JSON.object(members).data
        case .address:
            request.path = path.replacing("{token}", with: strength == .good ? Secrets.trigger : "a-guess")
        case .bearer:
            request.headers.append(
                Header("Authorization", "Bearer " + (strength == .good ? Secrets.access : "a-guess")))
        }
        return request
    }

    private func body(_ payload: Data) -> Data {
        guard isForm else { return payload }
        var bytes = Array("payload=".utf8)
        bytes.reserveCapacity(payload.count * 2)
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in payload {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): bytes.append(byte)
            case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return Data(bytes)
    }
}
