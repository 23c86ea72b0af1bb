/// The JSON of what every delivery brings, as `JSON` reads it, written by hand: Foundation's encoder took a tenth of
/// the whole time of a delivery.
enum JSONText {
    static func list(_ texts: [String]) -> String {
        list(texts) { quote($0, &$1) }
    }

    static func list(_ headers: [Header]) -> String {
        list(headers) { header, json in
            json += #"{"name":"#.utf8
            quote(header.name, &json)
            json += #","value":"#.utf8
            quote(header.value, &json)
            json += "}".utf8
        }
    }

    static func list(_ ignored: [Ignored]) -> String {
        list(ignored) { ignored, json in
            json += #"{"reason":"#.utf8
            quote(ignored.reason, &json)
            if let rule = ignored.rule { json += #","rule":\#(rule)"#.utf8 }
            if let build = ignored.build { json += #","build":\#(build)"#.utf8 }
            json += "}".utf8
        }
    }

    private static func list<Element>(_ elements: [Element], _ write: (Element, inout [UInt8]) -> Void) -> String {
        if elements.isEmpty { return "[]" }
        var json = Array("[".utf8)
        for (place, element) in elements.enumerated() {
            if place > 0 { json += ",".utf8 }
            write(element, &json)
        }
        json += "]".utf8
        return String(decoding: json, as: UTF8.self)
    }

    /// RFC 8259, 7: quotation mark, reverse solidus and control characters are escaped.
    private static func quote(_ text: String, _ json: inout [UInt8]) {
        json += "\"".utf8
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), byte]
            case ..<0x20: json += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: json.append(byte)
            }
        }
        json += "\"".utf8
    }
}
