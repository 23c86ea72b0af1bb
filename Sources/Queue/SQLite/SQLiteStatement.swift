import CSQLite
import Foundation
import Model

/// A compiled statement, kept by its database for the next run.
final class SQLiteStatement: RowSource {
    let handle: OpaquePointer
    /// The places of the columns by their names.
    let columns: [String: Int32]

    init(_ handle: OpaquePointer) {
        self.handle = handle
        var columns: [String: Int32] = [:]
        for place in 0..<sqlite3_column_count(handle) {
            if let name = sqlite3_column_name(handle, place) { columns[String(cString: name)] = place }
        }
        self.columns = columns
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// - Returns: SQLite's result code. SQLite copies the value.
    func bind(_ value: SQLValue, at place: Int32) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(handle, place)
        case .integer(let number): return sqlite3_bind_int64(handle, place, number)
        case .text(var text):
            return text.withUTF8 { utf8 in
                // A null pointer would be NULL and not the empty text.
                guard let bytes = utf8.baseAddress, !utf8.isEmpty else {
                    return slipway_bind_text(handle, place, "", 0)
                }
                return bytes.withMemoryRebound(to: CChar.self, capacity: utf8.count) {
                    slipway_bind_text(handle, place, $0, UInt64(utf8.count))
                }
            }
        case .blob(let data):
            if data.isEmpty { return sqlite3_bind_zeroblob(handle, place, 0) }
            return data.withUnsafeBytes { slipway_bind_blob(handle, place, $0.baseAddress, UInt64($0.count)) }
        }
    }

    func value(of column: String) -> SQLValue? { columns[column].map(value) }

    private func value(_ place: Int32) -> SQLValue {
        switch sqlite3_column_type(handle, place) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, place))
        case SQLITE_TEXT:
            // The text is asked for before its length: asking may convert it ("Result Values From A Query").
            guard let text = sqlite3_column_text(handle, place) else { return .null }
            let count = Int(sqlite3_column_bytes(handle, place))
            return .text(String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self))
        case SQLITE_BLOB:
            guard let bytes = sqlite3_column_blob(handle, place) else { return .blob(Data()) }
            return .blob(Data(bytes: bytes, count: Int(sqlite3_column_bytes(handle, place))))
        default: return .null
        }
    }
}
