import CPostgreSQL
import Foundation

/// The answer to one statement.
final class PostgreSQLResult: RowSource {
    private let handle: OpaquePointer
    private let columns: [String: Int32]
    /// Whose values are given.
    var row = 0

    init(_ handle: OpaquePointer) {
        self.handle = handle
        var columns: [String: Int32] = [:]
        for place in 0..<PQnfields(handle) { columns[String(cString: PQfname(handle, place))] = place }
        self.columns = columns
    }

    deinit { PQclear(handle) }

    var count: Int { Int(PQntuples(handle)) }
    var changed: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }
    var isSync: Bool { PQresultStatus(handle) == PGRES_PIPELINE_SYNC }
    /// Whether it was not done, as one before it failed.
    var isAborted: Bool { PQresultStatus(handle) == PGRES_PIPELINE_ABORTED }

    /// Nil where the statement was done, or one before it failed.
    func error(_ operation: String, _ sql: String, _ place: String) -> StoreError? {
        guard PQresultStatus(handle) == PGRES_FATAL_ERROR else { return nil }
        func field(_ code: Character) -> String {
            PQresultErrorField(handle, Int32(code.asciiValue ?? 0)).map { String(cString: $0) } ?? ""
        }
        // 'C' and 'M' are PG_DIAG_SQLSTATE and PG_DIAG_MESSAGE_PRIMARY.
        let (state, words) = (field("C"), field("M"))
        let message = state.isEmpty ? String(cString: PQresultErrorMessage(handle)) : "\(words) (\(state))"
        return StoreError(
            Self.kind(state), PostgreSQLAdvice.about(message, state: state), operation: operation, sql: sql,
            database: place)
    }

    /// By "Appendix A. PostgreSQL Error Codes".
    private static func kind(_ state: String) -> StoreError.Kind {
        switch (state.prefix(2), state) {
        case (_, "53100"), (_, "58030"): .noRoom
        // Serialization failure, deadlock.
        case ("40", _): .conflict
        // The statement's form is of a schema that was changed meanwhile.
        case (_, "0A000"): .unreachable
        // The server ends, begins, has no place for more, or is a standby.
        case ("57", "57P01"), ("57", "57P02"), ("57", "57P03"), ("53", _), ("08", _), (_, "25006"), ("", _):
            .unreachable
        // It was cut short: by its time limit, or as others held what it needs.
        case (_, "57014"), (_, "55P03"), (_, "25P03"): .busy
        case ("XX", _): .unreadable
        default: .failed
        }
    }

    func value(of column: String) -> SQLValue? {
        guard let place = columns[column] else { return nil }
        if PQgetisnull(handle, Int32(row), place) == 1 { return .null }
        guard let bytes = PQgetvalue(handle, Int32(row), place) else { return .null }
        let length = Int(PQgetlength(handle, Int32(row), place))
        return bytes.withMemoryRebound(to: UInt8.self, capacity: length + 1) { start in
            let type = PQftype(handle, place)
            if type == 17 { return .blob(Self.blob(start)) }
            return Self.value(UnsafeBufferPointer(start: start, count: length), type: type)
        }
    }

    /// By the numbers of pg_type.
    private static func value(_ bytes: UnsafeBufferPointer<UInt8>, type: Oid) -> SQLValue {
        let text = String(decoding: bytes, as: UTF8.self)
        switch type {
        case 16: return .integer(text == "t" ? 1 : 0)
        case 20, 21, 23: return Int64(text).map { .integer($0) } ?? .text(text)
        case 1184: return .text(time(text))
        default: return .text(text)
        }
    }

    /// Of a text that ends with a zero, as libpq gives it.
    private static func blob(_ text: UnsafePointer<UInt8>) -> Data {
        var count = 0
        guard let bytes = PQunescapeBytea(text, &count) else { return Data() }
        defer { PQfreemem(bytes) }
        return Data(bytes: bytes, count: count)
    }

    /// `2026-11-21 02:43:08.12+00` as RFC 3339 with milliseconds.
    private static func time(_ text: String) -> String {
        let head = text.prefix(19).replacing(" ", with: "T")
        let rest = text.dropFirst(19)
        let sign = rest.firstIndex { $0 == "+" || $0 == "-" } ?? rest.endIndex
        let fraction = (rest[..<sign].dropFirst() + "000").prefix(3)
        let offset = rest[sign...]
        let zone = offset == "+00" || offset.isEmpty ? "Z" : offset.contains(":") ? "\(offset)" : "\(offset):00"
        return "\(head).\(fraction)\(zone)"
    }
}
