import Foundation
import Queue

/// A POST as it is sent.
struct Request: Sendable {
    /// Of its sample: `github/push-1.json`.
    var name: String
    var path: String
    var headers: [Header]
    var body: Data
    /// Whether nothing was changed after it was made, and it was made as its sender would.
    var isWhole = false

    /// The first header of this name, in any case.
    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// What it says: its JSON, also where that travels in a form; a trigger's whole form.
    var said: [String] {
        if let texts = JSON(body)?.texts { return texts }
        return body.split(separator: UInt8(ascii: "&")).flatMap { pair in
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            let value = Self.decoded(pair[name.endIndex...].dropFirst()) ?? Data()
            if name.elementsEqual("payload".utf8) { return JSON(value)?.texts ?? [] }
            let text = String(decoding: value, as: UTF8.self)
            // A line's end behind a whole trigger is none of it.
            return [text, text.trimmingCharacters(in: .whitespacesAndNewlines)]
        }
    }

    /// The bytes of a form's value; nil where an escape is broken, or they are no text.
    static func decoded(_ value: Data) -> Data? {
        var text = Data()
        var rest = value.makeIterator()
        while let byte = rest.next() {
            if byte == UInt8(ascii: "%") {
                let digits = String(decoding: [rest.next(), rest.next()].compactMap(\.self), as: UTF8.self)
                guard let code = UInt8(digits, radix: 16) else { return nil }
                text.append(code)
            } else {
                text.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: text, as: UTF8.self) == nil ? nil : text
    }
}

/// A file of a request: name, path and headers, a line each, then an empty line and the body.
extension Request {
    var file: Data {
        let head = headers.reduce("\(name)\n\(path)\n") { "\($0)\($1.name): \($1.value)\n" }
        return Data((head + "\n").utf8) + body
    }

    /// Nil where it is no such file.
    init?(file: Data) {
        guard let end = file.firstRange(of: Data("\n\n".utf8)) else { return nil }
        let lines = String(decoding: file[..<end.lowerBound], as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 1 else { return nil }
        name = String(lines[0])
        path = String(lines[1])
        headers = lines.dropFirst(2).map { line in
            let colon = line.firstRange(of: ": ")
            return Header(
                String(line[..<(colon?.lowerBound ?? line.endIndex)]),
                String(line[(colon?.upperBound ?? line.endIndex)...]))
        }
        body = Data(file[end.upperBound...])
    }
}

extension Header {
    init(_ name: String, _ value: String) { self.init(name: name, value: value) }
}
