import Foundation
import Queue
import TestSupport

/// Changes requests as broken senders, broken lines and attackers do.
enum Mutation {
    private static let odd: [[UInt8]] = [
        [0x00], [0xff, 0xfe], [0xef, 0xbb, 0xbf], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
        Array("\\ud800".utf8), Array("\\u0000".utf8), Array("\"".utf8), Array("{".utf8), Array("]".utf8),
        Array("%".utf8), Array("%zz".utf8), Array("&payload=".utf8), Array("\r\n\r\n".utf8), Array("1e999".utf8),
        Array("\u{202e}".utf8), Array("\"secret\":\"".utf8), Array("\"Token\" : \"".utf8),
    ]

    static func bytes(_ body: Data, _ random: inout Random) -> Data {
        var body = body
        let at = random.below(body.count)
        switch random.below(9) {
        case 0 where !body.isEmpty:
            for _ in 0...random.below(8) { body[random.below(body.count)] ^= 1 << random.below(8) }
        case 1: body = body.prefix(random.below(body.count + 1))
        case 2: body = Data(body.dropFirst(random.below(body.count + 1)))
        case 3: body.insert(contentsOf: random.pick(odd), at: at)
        case 4 where !body.isEmpty:
            body.removeSubrange(at..<(at + random.below(min(200, body.endIndex - at) + 1)))
        case 5 where !body.isEmpty:
            body.insert(contentsOf: body[at..<(at + random.below(body.endIndex - at))], at: at)
        case 6 where random.oneIn(4):
            body =
                String(decoding: body, as: UTF8.self).data(using: random.pick([.utf16, .utf32, .utf16LittleEndian]))
                ?? body
        case 7 where random.oneIn(3):
            body = Data((0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        default: body = random.oneIn(20) ? Data() : body + random.pick(odd)
        }
        return Data(body)
    }

    /// Bodies as long as the service takes them, or as deep.
    static func huge(_ random: inout Random) -> Data {
        let limit = 25 << 20
        func filled(_ head: String, _ part: String, _ tail: String) -> Data {
            let room = limit - head.utf8.count - tail.utf8.count
            var middle = Data(part.utf8)
            while middle.count * 2 <= room { middle += middle }
            middle += middle.prefix((room - middle.count) / part.utf8.count * part.utf8.count)
            return Data(head.utf8) + middle + Data(tail.utf8)
        }
        switch random.below(9) {
        case 0: return Data(String(repeating: "[", count: 100_000).utf8)
        case 1: return Data(String(repeating: "{\"a\":", count: 100_000).utf8)
        case 2: return filled("[", "0,", "0]")
        case 3: return filled("{\"commits\":[", "{},", "{}]}")
        case 4: return filled("{\"ref\":\"refs/heads/", "a", "\"}")
        case 5: return filled("", "a&", "b=c")
        case 6: return filled("payload=", "%22", "")
        case 7: return filled("", "[", "")
        default: return filled("{", "\"secret\":\"\",", "\"a\":1}")
        }
    }

    // MARK: Heads

    private static let names = [
        "X-GitHub-Event", "X-Gitea-Event", "X-Event-Key", "X-Gitlab-Event", "X-Forgejo-Event", "X-Gogs-Event",
        "X-Hub-Signature", "X-Hub-Signature-256", "X-Gitlab-Token", "webhook-id", "webhook-timestamp",
        "webhook-signature", "Authorization", "Content-Type", "x-amz-sns-message-type", "x-amz-sns-rawdelivery",
        "X-Forwarded-For", "Idempotency-Key", "User-Agent", "Accept", "X-Other", "", "É",
    ]

    private static let values = [
        "", "push", "Push Hook", "repo:push", "repo:refs_changed", "git.push", "Notification", "sha1=00", "sha256=",
        "v1,AAAA",
        "Basic eDp5", "Basic ====", "Bearer x", "application/x-www-form-urlencoded", "application/json",
        "text/event-stream",
        "203.0.113.7, 127.0.0.1", "[::1]:80,,", "true", "-9223372036854775808", "99999999999999999999", "\u{0}",
        "é\u{301}",
    ]

    static func of(_ headers: [Header], _ random: inout Random) -> [Header] {
        var headers = headers
        let index = random.below(headers.count)
        switch random.below(9) {
        case 0 where !headers.isEmpty: headers.remove(at: index)
        case 1 where !headers.isEmpty: headers[index].value = random.pick(values)
        case 2 where !headers.isEmpty: headers[index].value = String(headers[index].value.dropLast(1 + random.below(4)))
        case 3 where !headers.isEmpty: headers[index].value += random.pick([" ", "x", "00", ",", "=", "\u{fffd}"])
        case 4 where !headers.isEmpty:
            headers.insert(Header(headers[index].name, random.pick(values)), at: random.below(headers.count + 1))
        case 5 where !headers.isEmpty: headers[index].name = random.pick(names)
        case 6 where !headers.isEmpty:
            headers[index].value = String(repeating: random.pick(["é", "a"]), count: random.pick([1, 1100, 5000]))
        case 7 where !headers.isEmpty:
            headers[index].name = random.oneIn(2) ? headers[index].name.uppercased() : headers[index].name.lowercased()
        default:
            let count = random.oneIn(20) ? 100 : 1
            headers += (0..<count).map { _ in Header(random.pick(names), random.pick(values)) }
        }
        return headers
    }

    static func of(_ path: String, _ random: inout Random) -> String {
        let bytes = Array(path.utf8)
        let at = random.below(bytes.count)
        let odd = random.pick(["%00", "%", "%2F", "%zz", "//", "?force=1", "..", "é", " ", "%C3%A9", "/", "a"])
        switch random.below(4) {
        case 0:
            return String(decoding: bytes[..<at], as: UTF8.self) + odd + String(decoding: bytes[at...], as: UTF8.self)
        case 1: return String(decoding: bytes[..<at], as: UTF8.self)
        case 2: return path + odd
        // The same address, written otherwise.
        default:
            return String(decoding: bytes[..<at], as: UTF8.self) + "%\(String(bytes[at], radix: 16))"
                + String(decoding: bytes[(at + 1)...], as: UTF8.self)
        }
    }
}
