import Foundation
import Model
import Platform

/// What a column can hold.
enum SQLValue: Equatable {
    case null
    case integer(Int64)
    case text(String)
    case blob(Data)
}

/// What a database that tells them apart is told of a value, also of one that is null.
enum SQLType: Hashable {
    case integer, boolean, text, time, blob
}

/// A value that is one column.
protocol Storable {
    static var type: SQLType { get }
    var stored: SQLValue { get }
    /// - Throws: `InvalidText` where the column holds something else.
    init(stored: SQLValue) throws(InvalidText)
}

extension Int64: Storable {
    static var type: SQLType { .integer }
    var stored: SQLValue { .integer(self) }

    init(stored: SQLValue) throws(InvalidText) {
        guard case .integer(let number) = stored else { throw InvalidText("it is no whole number") }
        self = number
    }
}

extension Int: Storable {
    static var type: SQLType { .integer }
    var stored: SQLValue { .integer(Int64(self)) }

    init(stored: SQLValue) throws(InvalidText) {
        self = Int(try Int64(stored: stored))
    }
}

extension Bool: Storable {
    static var type: SQLType { .boolean }
    var stored: SQLValue { .integer(self ? 1 : 0) }

    init(stored: SQLValue) throws(InvalidText) {
        self = try Int64(stored: stored) != 0
    }
}

extension String: Storable {
    static var type: SQLType { .text }
    var stored: SQLValue { .text(self) }

    init(stored: SQLValue) throws(InvalidText) {
        guard case .text(let text) = stored else { throw InvalidText("it is no text") }
        self = text
    }
}

extension Data: Storable {
    static var type: SQLType { .blob }
    var stored: SQLValue { .blob(self) }

    init(stored: SQLValue) throws(InvalidText) {
        guard case .blob(let bytes) = stored else { throw InvalidText("it is no blob") }
        self = bytes
    }
}

/// RFC 3339 in UTC with milliseconds, so that in SQLite the order of the texts is the order of the times.
extension Date: Storable {
    static var type: SQLType { .time }
    var stored: SQLValue { .text(Timestamp.text(self)) }

    init(stored: SQLValue) throws(InvalidText) {
        guard let date = Timestamp.date(try String(stored: stored)) else { throw InvalidText("it is no time") }
        self = date.wholeMilliseconds
    }

    private var wholeMilliseconds: Date {
        Date(timeIntervalSince1970: (timeIntervalSince1970 * 1000).rounded() / 1000)
    }
}

extension Optional: Storable where Wrapped: Storable {
    static var type: SQLType { Wrapped.type }
    var stored: SQLValue { self?.stored ?? .null }

    init(stored: SQLValue) throws(InvalidText) {
        self = stored == .null ? nil : try Wrapped(stored: stored)
    }
}

extension Storable where Self: TextValue {
    static var type: SQLType { .text }
    var stored: SQLValue { .text(text) }

    init(stored: SQLValue) throws(InvalidText) {
        try self.init(String(stored: stored))
    }
}

extension RepositoryName: Storable {}
extension RefName: Storable {}
extension CommitID: Storable {}
extension ImageName: Storable {}
extension Tag: Storable {}
extension Digest: Storable {}

extension Storable where Self: RawRepresentable<String> {
    static var type: SQLType { .text }
    var stored: SQLValue { .text(rawValue) }

    init(stored: SQLValue) throws(InvalidText) {
        let text = try String(stored: stored)
        guard let value = Self(rawValue: text) else { throw InvalidText("\"\(text.excerpt())\" is not known") }
        self = value
    }
}

extension Build.State: Storable {}
extension Cause.Kind: Storable {}
extension Failure.Kind: Storable {}
extension Failure.Stage: Storable {}

private let encoder = {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
}()

/// A value kept as JSON, its keys in order.
struct JSON<Content: Codable>: Storable {
    static var type: SQLType { .text }
    let text: String
    let content: Content

    init(_ content: Content) throws {
        text = String(decoding: try encoder.encode(content), as: UTF8.self)
        self.content = content
    }

    var stored: SQLValue { .text(text) }

    init(stored: SQLValue) throws(InvalidText) {
        text = try String(stored: stored)
        do {
            content = try JSONDecoder().decode(Content.self, from: Data(text.utf8))
        } catch {
            throw InvalidText("its JSON is no \(Content.self): \(error)")
        }
    }
}
