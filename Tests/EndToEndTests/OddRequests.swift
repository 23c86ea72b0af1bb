import Foundation
import Platform

/// Requests as bytes, changed where no HTTP client would; the same ones for the same seed.
struct OddRequests {
    static let secret = "known to both sides"
    static let token = "the-token-of-acme-shop"

    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// - Returns: the bytes, and whether the server can tell that nothing more comes, so that it must answer or close.
    mutating func next() -> (bytes: Data, isEnded: Bool) {
        let body = Data(
            """
            {"ref":"refs/heads/main","before":"\(commit())","after":"\(commit())","head_commit":null,"repository":{}}
            """.utf8)
        let hex = Crypto.hmacSHA256(key: Data(Self.secret.utf8), body).hex
        var lines = pick([
            ["POST /webhooks/acme/shop HTTP/1.1", "X-GitHub-Event: push", "X-Hub-Signature-256: sha256=" + hex],
            ["POST /webhooks/acme/shop HTTP/1.1", "X-Gitlab-Event: Push Hook", "X-Gitlab-Token: \(Self.secret)"],
            ["POST /triggers/\(Self.token) HTTP/1.1", "Accept: application/json"],
            ["POST /u/acme/shop/trigger/\(Self.token)/ HTTP/1.1"],
            ["GET /api/v1/deliveries?limit=5 HTTP/1.1", "Accept: */*"], ["GET /healthz HTTP/1.0"],
        ])
        lines += ["Host: localhost", "Content-Type: application/json"]
        let isTrigger = lines[0].contains(Self.token)
        var payload = lines[0].hasPrefix("GET") ? Data() : isTrigger ? Data(#"{"branch": "main"}"#.utf8) : body
        var isEnded = true
        var framing = ["Content-Length: \(payload.count)"]
        switch below(6) {
        case 0: (framing, payload, isEnded) = chunked(payload)
        case 1: (framing, isEnded) = lengths(payload.count)
        default: break
        }
        if below(3) == 0 { lines = odd(lines) }
        if below(3) == 0 { lines = lines.map { below(3) == 0 ? flipped($0) : $0 } }
        // Behind the first line, so that whatever else is wrong no connection is kept for another request.
        lines.insert(contentsOf: ["Connection: close"] + framing, at: 1)
        var bytes = Data((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + payload
        if below(5) == 0 {
            bytes = torn(bytes)
            isEnded = false
        }
        return (bytes, isEnded)
    }

    // MARK: Changes

    /// Lengths that lie, twice, or are none.
    private mutating func lengths(_ count: Int) -> (lines: [String], isEnded: Bool) {
        pick([
            (["Content-Length: \(max(0, count - 10))"], true), (["Content-Length: -1"], true),
            (["Content-Length: 99999999999999999999"], true), (["Content-Length: 18446744073709551615"], true),
            (["Content-Length: +5"], true), (["Content-Length: 0x10"], true), (["Content-Length: \(count), 3"], true),
            (["Content-Length:"], true), (["Content-Length: 1 1"], true), (["Content-Length: \(30 << 20)"], true),
            (["Content-Length: \(count)", "Content-Length: \(count + 1)"], true), ([], true),
            (["Content-Length: \(count)", "Transfer-Encoding: chunked"], true),
            (["Content-Length: \(count)", "Expect: 100-continue"], true), (["Content-Length: \(count + 10)"], false),
        ])
    }

    /// In chunks, most of them odd.
    private mutating func chunked(_ body: Data) -> (lines: [String], body: Data, isEnded: Bool) {
        let size = String(body.count, radix: 16)
        let whole = String(decoding: body, as: UTF8.self)
        let (text, isEnded) = pick([
            ("\(size)\r\n\(whole)\r\n0\r\n\r\n", true),
            ("\(size);a=b\r\n\(whole)\r\n0\r\nX-Trailer: 1\r\n\r\n", true),
            ("0\(size.uppercased())\r\n\(whole)\r\n0\r\n\r\n", true), ("zz\r\n\(whole)", true),
            ("ffffffffffffffffff\r\n\(whole)\r\n0\r\n\r\n", true), ("-1\r\n\(whole)\r\n", true),
            ("0\r\n\r\n", true), ("\(size)\n\(whole)\n0\n\n", false), ("\(size)\r\n\(whole)", false), ("\r\n", false),
            ("", false), ("\(size)\r\n\(whole)0\r\n\r\n", false), ("7fffffff\r\n\(whole)", false),
            ("\(size) \r\n\(whole)\r\n0\r\n\r\n", false), (String(repeating: "0", count: 5000) + "\r\n\r\n", false),
            ("1;" + String(repeating: "a", count: 40_000) + "\r\n{\r\n0\r\n\r\n", false),
        ])
        let (coding, isKnown) = pick([
            ("chunked", true), ("chunked", true), ("Chunked", true), ("gzip, chunked", false),
            ("chunked, identity", false),
            ("x", false), ("", false),
        ])
        return (["Transfer-Encoding: \(coding)"], Data(text.utf8), isEnded && isKnown)
    }

    private mutating func odd(_ lines: [String]) -> [String] {
        var lines = lines
        let place = 1 + below(lines.count - 1)
        switch below(9) {
        case 0: lines.remove(at: place)
        case 1: lines.insert(lines[below(lines.count)], at: place)
        case 2: lines.insert(" folded", at: place)
        case 3: lines.insert("X-Long: " + String(repeating: "a", count: 1 << below(17)), at: place)
        case 4: lines += (0..<(1 << below(11))).map { "X-\($0): a" }
        case 5: lines[0] = lines[0].replacing("HTTP/1.1", with: pick(["HTTP/2.0", "HTTP/0.9", "HTTP/1.9", "HTTP/x"]))
        case 6:
            lines[0] = lines[0].replacing(
                " /", with: pick([" //", " /%", " /%00", " /../", " /é", " /\u{1}", " http://x/"]))
        case 7: lines[0] = pick(["GET", "PUT", "PRI", "OPTIONS", "CONNECT", "é"]) + lines[0].drop { $0 != " " }
        default: lines.insert(pick([":", "a", ": b", "a b: c", "a:\u{0}", "X: \u{1}"]), at: place)
        }
        return lines
    }

    /// Other bytes, but no end of a line.
    private mutating func flipped(_ line: String) -> String {
        var bytes = Array(line.utf8)
        for _ in 0...below(3) {
            let place = below(bytes.count)
            let byte = bytes[place] ^ (1 << UInt8(below(8)))
            if byte != 10, byte != 13 { bytes[place] = byte }
        }
        // What is no UTF-8 any more becomes another character of several odd bytes.
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Bytes that are missing, or too many, anywhere.
    private mutating func torn(_ bytes: Data) -> Data {
        var bytes = bytes
        for _ in 0...below(4) where !bytes.isEmpty {
            let place = below(bytes.count)
            switch below(4) {
            case 0: bytes.remove(at: place)
            case 1: bytes.insert(UInt8(below(256)), at: place)
            case 2: bytes = Data(bytes.prefix(place + 1))
            default: bytes[place] ^= 1 << UInt8(below(8))
            }
        }
        return bytes
    }

    // MARK: Chance

    private mutating func commit() -> String {
        (0..<40).map { _ in String(below(16), radix: 16) }.joined()
    }

    /// SplitMix64.
    private mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
