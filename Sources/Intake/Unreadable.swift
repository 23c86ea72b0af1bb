import Foundation
import Model

/// Says what is wrong with a body that can't be read.
enum Unreadable {
    /// - Parameter wanted: what the JSON should be, as the sentence calls it: `GitHub's push event`.
    /// - Throws: `IntakeError.unreadable`, naming the field.
    static func decoded<Value: Decodable>(
        _ json: Data, as type: Value.Type, wanted: String
    ) throws(IntakeError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: json)
        } catch {
            throw .unreadable(sentence(json, error, wanted: wanted))
        }
    }

    static func sentence(_ body: Data, _ error: any Error, wanted: String) -> String {
        if body.isEmpty { return "the body is empty; \(wanted) is JSON" }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "the body is not \(wanted): \(path(context.codingPath + [key])) is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            return "the body is not \(wanted): \(path(context.codingPath)) is of another type"
        case DecodingError.dataCorrupted(let context):
            let cause =
                context.underlyingError.map { " (\(($0 as NSError).userInfo["NSDebugDescription"] ?? $0))" } ?? ""
            return "the body is not JSON\(cause)".excerpt(300)
        default:
            return "the body is not \(wanted): \(error)".excerpt(300)
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.isEmpty ? "the whole" : "\"" + keys.map(\.stringValue).joined(separator: ".") + "\""
    }
}
