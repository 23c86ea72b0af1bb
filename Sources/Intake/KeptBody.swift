import Foundation
import Platform

/// What is kept of a request's body: the same bytes, with ••• in place of the secrets that some senders put there.
///
/// Old Gitea tells the webhook's own `secret`; Amazon SNS sends a `Token` and addresses by which anybody could confirm or
/// end a subscription. The fields are found in the bytes, so that all else stays as it was sent.
enum KeptBody {
    static func of(_ body: Data) -> Data {
        let secrets = body.withUnsafeBytes { Scan(bytes: $0).secrets() }
        guard !secrets.spans.isEmpty else { return body }
        let mask = Data((secrets.isForm ? Self.masks[1] : Self.masks[0]).utf8)
        var kept = Data()
        var rest = body[...]
        for span in secrets.spans where body.startIndex + span.lowerBound >= rest.startIndex {
            kept += rest.prefix(upTo: body.startIndex + span.lowerBound) + mask
            rest = body[(body.startIndex + span.upperBound)...]
        }
        return kept + rest
    }

    /// Whether something was masked in a body that was kept.
    static func isMasked(_ body: Data) -> Bool {
        masks.contains { body.range(of: Data($0.utf8)) != nil }
    }

    /// As JSON has it, and as a form does.
    private static let masks = [KeptHeaders.mask, "%E2%80%A2%E2%80%A2%E2%80%A2"]
}

/// Looks for fields of JSON, also where it is percent-encoded in a form.
private struct Scan {
    let bytes: UnsafeRawBufferPointer
    let isForm: Bool

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        let first = bytes.first { !Self.spaces.contains($0) }
        isForm = first != UInt8(ascii: "{") && first != UInt8(ascii: "[")
    }

    private static let spaces: [UInt8] = [0x20, 0x09, 0x0a, 0x0d]

    /// Where the contents of secret fields stand, in order.
    func secrets() -> (spans: [Range<Int>], isForm: Bool) {
        var spans = contents(of: "secret")
        // Most bodies hold neither; nothing more is looked for in those.
        if bytes.first("ubscribeURL") != nil {
            for name: StaticString in ["Token", "SubscribeURL", "UnsubscribeURL"] { spans += contents(of: name) }
        }
        return (spans.sorted { $0.lowerBound < $1.lowerBound }, isForm)
    }

    private func contents(of name: StaticString) -> [Range<Int>] {
        var spans: [Range<Int>] = []
        var start = 0
        while let found = bytes.first(name, from: start) {
            start = found + name.utf8CodeUnitCount
            guard let span = content(behind: start), endsWithQuote(before: found) else { continue }
            if !span.isEmpty { spans.append(span) }
            start = span.upperBound
        }
        return spans
    }

    /// The text between the quotes, where `": "` stands at the place; to the body's end where it isn't closed.
    private func content(behind place: Int) -> Range<Int>? {
        var place = place
        guard take(&place) == UInt8(ascii: "\""), takeBehindSpaces(&place) == UInt8(ascii: ":"),
            takeBehindSpaces(&place) == UInt8(ascii: "\"")
        else { return nil }
        let start = place
        while place < bytes.count {
            let end = place
            switch take(&place) {
            case UInt8(ascii: "\""): return start..<end
            case UInt8(ascii: "\\"): _ = take(&place)
            default: continue
            }
        }
        return start..<bytes.count
    }

    private func endsWithQuote(before place: Int) -> Bool {
        if place >= 1, bytes[place - 1] == UInt8(ascii: "\"") { return true }
        var start = place - 3
        return isForm && start >= 0 && take(&start) == UInt8(ascii: "\"") && start == place
    }

    private func takeBehindSpaces(_ place: inout Int) -> UInt8? {
        while let byte = take(&place) {
            if !Self.spaces.contains(byte) { return byte }
        }
        return nil
    }

    /// The byte at a place, decoded where this is a form; the place goes on behind it.
    private func take(_ place: inout Int) -> UInt8? {
        guard place < bytes.count else { return nil }
        let byte = bytes[place]
        guard isForm else {
            place += 1
            return byte
        }
        if byte == UInt8(ascii: "%"), place + 2 < bytes.count, let high = digit(place + 1), let low = digit(place + 2) {
            place += 3
            return UInt8(high << 4 | low)
        }
        place += 1
        return byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte
    }
    private func digit(_ place: Int) -> Int? {
        Character(UnicodeScalar(bytes[place])).hexDigitValue
    }
}
