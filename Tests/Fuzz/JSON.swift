import Foundation

/// JSON that can be written as no writer would: with a name twice, or with what is no value at all.
indirect enum JSON: Sendable {
    struct Member: Sendable {
        var name: String
        var value: JSON
    }

    case object([Member])
    case list([JSON])
    case text(String)
    /// As it is written: numbers, words, and what is none.
    case raw(String)

    var data: Data {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return Data(bytes)
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        case .list(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .text(let text): Self.write(text, to: &bytes)
        case .raw(let text): bytes += text.utf8
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
            for byte in text.utf8 {
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
                case 0..<0x20: bytes += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
                default: bytes.append(byte)
                }
            }
        } else {
            bytes += text.utf8
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension JSON: Decodable {
    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let fields = try? decoder.container(keyedBy: Name.self) {
            // In an order that is the same for the same seed.
            self = .object(
                try fields.allKeys.sorted { $0.stringValue < $1.stringValue }.map {
                    Member(name: $0.stringValue, value: try fields.decode(JSON.self, forKey: $0))
                })
        } else if var items = try? decoder.unkeyedContainer() {
            var list: [JSON] = []
            while !items.isAtEnd { list.append(try items.decode(JSON.self)) }
            self = .list(list)
        } else {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .raw("null")
            } else if let text = try? value.decode(String.self) {
                self = .text(text)
            } else if let flag = try? value.decode(Bool.self) {
                self = .raw("\(flag)")
            } else if let number = try? value.decode(Int.self) {
                self = .raw("\(number)")
            } else {
                // A number that is too great for any type is one all the same.
                self = .raw((try? value.decode(Double.self)).map { "\($0)" } ?? "1e999")
            }
        }
    }
}

extension JSON {
    /// Every text in it, also those in texts that are JSON themselves.
    var texts: [String] {
        switch self {
        case .object(let members): members.flatMap(\.value.texts)
        case .list(let values): values.flatMap(\.texts)
        case .text(let text): [text] + (text.hasPrefix("{") ? JSON(Data(text.utf8))?.texts ?? [] : [])
        case .raw: []
        }
    }

    /// Nil where the bytes are no JSON.
    init?(_ data: Data) {
        guard let json = try? JSONDecoder().decode(JSON.self, from: data) else { return nil }
        self = json
    }
}
