import Foundation
import Model

/// JSON whose shape is only partly known: fields may be missing, empty, or of another type from one year to the next.
enum DockerHubJSON: Decodable {
    case null
    case truth(Bool)
    case number
    case text(String)
    case list([DockerHubJSON])
    case object([String: DockerHubJSON])

    /// - Throws: `InvalidText` for what is not JSON.
    init(_ bytes: [UInt8]) throws(InvalidText) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch DecodingError.dataCorrupted(let context) {
            let cause = context.underlyingError.map { ($0 as NSError).userInfo["NSDebugDescription"] ?? $0 }
            throw InvalidText("it is not JSON\(cause.map { " (\($0))" } ?? "")")
        } catch {
            throw InvalidText("it is not JSON (\(error))")
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let truth = try? container.decode(Bool.self) {
            self = .truth(truth)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([DockerHubJSON].self) {
            self = .list(list)
        } else if let object = try? container.decode([String: DockerHubJSON].self) {
            self = .object(object)
        } else {
            self = .number
        }
    }

    /// A field of an object, unless it is null.
    subscript(key: String) -> DockerHubJSON? {
        guard case .object(let fields) = self, let field = fields[key] else { return nil }
        if case .null = field { return nil }
        return field
    }

    /// Text without blanks around it, unless it is empty.
    var text: String? {
        guard case .text(let text) = self else { return nil }
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return trimmed.isEmpty ? nil : trimmed
    }

    var truth: Bool? {
        switch self {
        case .truth(let truth): truth
        case .text(let text): ["true": true, "false": false][text.lowercased()]
        default: nil
        }
    }

    var items: [DockerHubJSON]? {
        if case .list(let items) = self { items } else { nil }
    }

    var keys: [String] {
        if case .object(let fields) = self { fields.keys.sorted() } else { [] }
    }
}
