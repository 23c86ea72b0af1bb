import CPostgreSQL

/// A statement as the server keeps it: the same words with other types are another.
struct PostgreSQLStatement: Hashable {
    let sql: String
    let types: [SQLType]

    /// As PostgreSQL writes it: places for arguments by number, and no word of an index to take.
    var words: String {
        var text = ""
        var next = 0
        var rest = sql[...]
        while let place = rest.firstIndex(of: "?") {
            text += rest[..<place]
            rest = rest[rest.index(after: place)...]
            let digits = rest.prefix(while: \.isWholeNumber)
            rest = rest.dropFirst(digits.count)
            next += 1
            text += "$" + (digits.isEmpty ? "\(next)" : digits)
        }
        text += rest
        return text.replacing(/INDEXED BY [a-z_]+/, with: "").replacing("CROSS JOIN", with: "JOIN")
    }
}

extension SQLType {
    /// As pg_type has it; what is a text may be of other types that are written so, which the server finds itself.
    var number: Oid {
        switch self {
        case .integer: 20
        case .boolean: 16
        case .text: 0
        case .time: 1184
        case .blob: 17
        }
    }
}
