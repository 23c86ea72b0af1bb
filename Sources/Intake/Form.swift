import Foundation

/// Fields of `application/x-www-form-urlencoded` (WHATWG URL, 5.1).
enum Form {
    /// The value of the last field of this name; the others are gone over without being decoded, since anybody may send a
    /// form of millions before it is proved that they may.
    ///
    /// - Returns: nil where there is none, or it has an escape that is none, or is no UTF-8.
    static func last(_ name: String, in body: Data) -> String? {
        body.withUnsafeBytes { bytes in
            var value: UnsafeRawBufferPointer.SubSequence?
            for field in Fields(rest: bytes[...]) where field.name.count >= name.utf8.count {
                if decoded(field.name) == name { value = field.value }
            }
            return value.flatMap(decoded)
        }
    }

    /// In the order sent.
    ///
    /// - Returns: nil where the bytes are no form: an escape that is none, or no UTF-8.
    static func pairs(_ body: Data) -> [(String, String)]? {
        body.withUnsafeBytes { bytes in
            var pairs: [(String, String)] = []
            for field in Fields(rest: bytes[...]) {
                guard let name = decoded(field.name), let value = decoded(field.value) else { return nil }
                pairs.append((name, value))
            }
            return pairs
        }
    }

    private static func decoded(_ bytes: UnsafeRawBufferPointer.SubSequence) -> String? {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "+"): text.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else { return nil }
                text.append(high << 4 | low)
            default: text.append(byte)
            }
        }
        return String(validating: text, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The fields one after the other, as they are in the body.
    private struct Fields: Sequence, IteratorProtocol {
        var rest: UnsafeRawBufferPointer.SubSequence

        mutating func next() -> (name: UnsafeRawBufferPointer.SubSequence, value: UnsafeRawBufferPointer.SubSequence)? {
            rest = rest.drop { $0 == UInt8(ascii: "&") }
            guard !rest.isEmpty else { return nil }
            let field = rest.prefix { $0 != UInt8(ascii: "&") }
            rest = rest[field.endIndex...]
            let name = field.prefix { $0 != UInt8(ascii: "=") }
            return (name, field[name.endIndex...].dropFirst())
        }
    }
}

extension Inbound {
    /// The JSON: the body, or the field `payload` of the form that a Git host was told to send.
    ///
    /// - Throws: `IntakeError.unreadable` where the form has no such field.
    func json() throws(IntakeError) -> Data {
        guard saysForm else { return body }
        guard let payload = Form.last("payload", in: body) else {
            throw .unreadable("the form has no field \"payload\"; set the webhook's content type to application/json")
        }
        return Data(payload.utf8)
    }
}
