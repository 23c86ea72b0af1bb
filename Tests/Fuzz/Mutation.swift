import Foundation

/// Changes bodies as broken senders, broken lines and attackers do.
enum Mutation {
    static func of(_ body: Data, _ random: inout Random) -> Data {
        var body = body
        for _ in 0...random.below(3) {
            body = random.oneIn(2) ? bytes(body, &random) : (json(body, &random) ?? bytes(body, &random))
        }
        return body
    }

    // MARK: Bytes

    private static let odd: [[UInt8]] = [
        [0x00], [0xff, 0xfe], [0xef, 0xbb, 0xbf], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
        Array("\\ud800".utf8), Array("\\u0000".utf8), Array("\"".utf8), Array("{".utf8), Array("]".utf8),
        Array("%".utf8), Array("&payload=".utf8), Array("\r\n\r\n".utf8), Array("1e999".utf8), Array("\u{202e}".utf8),
    ]

    private static func bytes(_ body: Data, _ random: inout Random) -> Data {
        var body = body
        let at = body.startIndex + random.below(body.count)
        switch random.below(9) {
        case 0 where !body.isEmpty:
            for _ in 0...random.below(8) { body[body.startIndex + random.below(body.count)] ^= 1 << random.below(8) }
        case 1: body = body.prefix(random.below(body.count + 1))
        case 2: body = Data(body.dropFirst(random.below(body.count + 1)))
        case 3: body.insert(contentsOf: random.pick(odd), at: at)
        case 4 where !body.isEmpty:
            body.removeSubrange(at..<(at + random.below(min(200, body.endIndex - at) + 1)))
        case 5 where !body.isEmpty: body.insert(contentsOf: body[at..<(at + random.below(body.endIndex - at))], at: at)
        case 6:
            body =
                String(decoding: body, as: UTF8.self).data(using: random.pick([.utf16, .utf32, .utf16LittleEndian]))
                ?? body
        case 7: body = Data((0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        default: body = random.oneIn(20) ? Data() : body + random.pick(odd)
        }
        return Data(body)
    }

    // MARK: JSON

    /// Nil where the body is no JSON.
    private static func json(_ body: Data, _ random: inout Random) -> Data? {
        guard let tree = try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed) else { return nil }
        return try? JSONSerialization.data(
            withJSONObject: changed(tree, &random), options: [.fragmentsAllowed, .withoutEscapingSlashes])
    }

    /// One node on a random way from the root is changed.
    private static func changed(_ tree: Any, _ random: inout Random) -> Any {
        if var object = tree as? [String: Any], !object.isEmpty, !random.oneIn(12) {
            let key = random.pick(object.keys.sorted())
            switch random.below(5) {
            case 0: object[key] = nil
            case 1: object[key] = replacement(&random)
            default: object[key] = object[key].map { changed($0, &random) }
            }
            return object
        }
        if var list = tree as? [Any], !list.isEmpty, !random.oneIn(12) {
            let index = random.below(list.count)
            switch random.below(5) {
            case 0: list.remove(at: index)
            case 1: list += Array(repeating: list[index], count: random.below(40))
            default: list[index] = changed(list[index], &random)
            }
            return list
        }
        return replacement(&random)
    }

    private static func replacement(_ random: inout Random) -> Any {
        switch random.below(14) {
        case 0: return NSNull()
        case 1: return true
        case 2: return random.pick([0, -1, Int.max, Int.min])
        case 3: return 1.5e300
        case 4: return ""
        case 5: return String(repeating: "a", count: random.pick([1, 1025, 100_000]))
        case 6: return String(repeating: "0", count: random.pick([40, 64, 39]))
        case 7:
            return random.pick([
                "refs/heads/main", "refs/tags/v1", "refs/heads/../x", "refs/heads/\u{0}", "refs/pull/1/head", "main",
            ])
        case 8: return [Any]()
        case 9: return [String: Any]()
        case 10: return (0..<random.pick([10, 3000])).map { $0 }
        case 11: return Dictionary(uniqueKeysWithValues: (0..<random.pick([10, 1000])).map { ("k\($0)", $0) })
        case 12: return deep(random.pick([20, 400]))
        default:
            return random.pick([
                "\u{1f600}", "é\u{301}", "'; DROP TABLE builds; --", "\u{1b}[31m", "{\\1}", "../../etc/passwd",
            ])
        }
    }

    private static func deep(_ depth: Int) -> Any {
        var tree: Any = [Any]()
        for level in 0..<depth { tree = level % 2 == 0 ? [tree] : ["k": tree] }
        return tree
    }

    // MARK: Headers

    static func of(_ headers: [(name: String, value: String)], _ random: inout Random) -> [(
        name: String, value: String
    )] {
        var headers = headers
        guard !headers.isEmpty else { return headers }
        let index = random.below(headers.count)
        switch random.below(7) {
        case 0: headers.remove(at: index)
        case 1: headers[index].value = ""
        case 2: headers[index].value = String(headers[index].value.dropLast(1 + random.below(4)))
        case 3: headers[index].value += random.pick([" ", "x", "00", ",", "\u{fffd}"])
        case 4: headers.append((headers[index].name, random.pick(["", "push", "sha1=00", "v1,AAAA", "Basic eDp5"])))
        case 5:
            headers[index].name = random.pick([
                "X-GitHub-Event", "X-Gitea-Event", "X-Event-Key", "X-Gitlab-Event", "X-Other",
            ])
        default: headers[index].value = String(repeating: "é", count: random.pick([1, 5000]))
        }
        return headers
    }
}
