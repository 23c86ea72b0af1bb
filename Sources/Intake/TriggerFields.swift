import Foundation
import Model

/// The fields of a trigger's body, before their meaning.
struct TriggerFields {
    enum Value: Equatable {
        case text(String)
        case flag(Bool)
        case texts([String: String])
        /// JSON's null: as if the field were not there.
        case null
    }

    /// Build arguments that one trigger may set, and the length of their names and values in all, in bytes.
    static let mostArguments = 64
    static let longestArguments = 64 << 10

    /// Of a whole body, in bytes: all build arguments, even where each character is an escape.
    static let longestBody = 512 << 10

    private static let selectors = [
        "build", "docker_tag", "docker_tag_name", "source_type", "source_name", "branch", "tag", "commit",
    ]
    private static let known = selectors + ["force", "no_cache", "build_args"]

    private var values: [String: Value] = [:]

    // MARK: Reading

    static func read(_ body: Data) throws(IntakeError) -> TriggerFields {
        guard body.count <= longestBody else {
            throw .unreadable("the trigger's body has \(body.count) bytes; it may have \(longestBody)")
        }
        guard let text = String(validating: body, as: UTF8.self), !text.utf8.contains(0) else {
            throw .unreadable("the trigger's body is not UTF-8 text")
        }
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if trimmed.isEmpty { return TriggerFields() }
        if trimmed.utf8.first == UInt8(ascii: "{") { return try json(Data(trimmed.utf8)) }
        guard trimmed.contains("="), let pairs = Form.pairs(Data(trimmed.utf8)) else {
            throw .unreadable(
                "the trigger's body is neither empty, nor a JSON object, nor a form: \(trimmed.excerpt(40))")
        }
        return try form(pairs)
    }

    private static func json(_ body: Data) throws(IntakeError) -> TriggerFields {
        var fields = TriggerFields()
        do {
            fields.values = try JSONDecoder().decode([String: Value].self, from: body)
        } catch {
            throw .unreadable(Unreadable.sentence(body, error, wanted: "a trigger: an object of texts"))
        }
        // Of two fields with one name the decoder drops one, and nobody could tell which was meant.
        let members = fields.values.values.reduce(fields.values.count) {
            if case .texts(let texts) = $1 { $0 + texts.count } else { $0 }
        }
        guard colons(body) == members else {
            throw .unreadable("a field stands in the trigger twice; give each once")
        }
        return fields
    }

    /// Colons outside of texts: one for each member of an object in well-formed JSON.
    private static func colons(_ json: Data) -> Int {
        var (count, inText, escaped) = (0, false, false)
        for byte in json {
            switch byte {
            case _ where escaped: escaped = false
            case UInt8(ascii: "\\"): escaped = true
            case UInt8(ascii: "\""): inText.toggle()
            case UInt8(ascii: ":") where !inText: count += 1
            default: break
            }
        }
        return count
    }

    private static func form(_ pairs: [(String, String)]) throws(IntakeError) -> TriggerFields {
        var fields = TriggerFields()
        var arguments: [String: String] = [:]
        for (name, value) in pairs {
            let isNew: Bool
            if name.hasPrefix("build_args["), name.hasSuffix("]") {
                isNew = arguments.updateValue(value, forKey: String(name.dropFirst(11).dropLast())) == nil
            } else {
                isNew = fields.values.updateValue(.text(value), forKey: name) == nil
            }
            guard isNew else {
                throw .unreadable("\"\(name.excerpt())\" stands in the trigger twice; give each field once")
            }
        }
        if !arguments.isEmpty, fields.values.updateValue(.texts(arguments), forKey: "build_args") != nil {
            throw .unreadable("\"build_args\" stands in the trigger twice; give each field once")
        }
        return fields
    }

    // MARK: Fields

    /// - Parameter known: those that may be there.
    func checkNames(_ known: [String] = known) throws(IntakeError) {
        guard let unknown = values.keys.sorted().first(where: { !known.contains($0) }) else { return }
        let hint = Nearest.word(to: unknown, in: known).map { "; nearest is \"\($0)\"" } ?? ""
        throw .unreadable(
            "the trigger's \"\(unknown.excerpt())\" is not known\(hint); known are \(known.joined(separator: ", "))"
        )
    }

    /// A field that was to say what is built, and is null.
    var unset: String? {
        Self.selectors.first { values[$0] == .null }
    }

    /// Nil where it isn't there.
    func text(_ name: String) throws(InvalidText) -> String? {
        switch values[name] {
        case nil, .null: return nil
        case .text(let text): return text
        case .flag(let flag): throw InvalidText("the trigger's \"\(name)\" must be a text, not \(flag)")
        case .texts: throw InvalidText("the trigger's \"\(name)\" must be a text, not an object")
        }
    }

    /// Nil where it isn't there.
    func flag(_ name: String) throws(InvalidText) -> Bool? {
        if case .flag(let flag) = values[name] { return flag }
        switch try text(name)?.lowercased() {
        case nil: return nil
        case "true", "1": return true
        case "false", "0": return false
        case let other?: throw InvalidText("the trigger's \"\(name)\" is \"\(other.excerpt())\", not true or false")
        }
    }

    /// Names as in the settings; empty where there are none.
    func buildArguments() throws(InvalidText) -> [String: String] {
        guard case .texts(let arguments) = values["build_args"] else {
            guard values["build_args"] ?? .null == .null else {
                throw InvalidText(
                    "the trigger's \"build_args\" must be an object of texts; in a form it is build_args[NAME]=value")
            }
            return [:]
        }
        for name in arguments.keys.sorted() {
            let isName =
                !name.isEmpty && name.utf8.first?.isASCIIDigit == false
                && name.utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "_") }
            guard isName else {
                throw InvalidText(
                    "\"\(name.excerpt())\" can't be a build argument: letters, digits and \"_\" that don't begin with a digit can"
                )
            }
            // A program's argument ends there.
            if arguments[name]?.utf8.contains(0) == true {
                throw InvalidText("the trigger's build argument \(name.excerpt()) holds a NUL character")
            }
        }
        let length = arguments.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard arguments.count <= Self.mostArguments, length <= Self.longestArguments else {
            throw InvalidText(
                "the trigger sets \(arguments.count) build arguments of \(length) bytes; "
                    + "it may set \(Self.mostArguments) of \(Self.longestArguments) bytes in all")
        }
        return arguments
    }
}

extension TriggerFields.Value: Decodable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            self = .texts(try container.decode([String: String].self))
        }
    }
}
