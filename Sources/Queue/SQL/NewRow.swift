/// The statements that add rows of one kind to a table.
///
/// PostgreSQL makes ready anew for each statement (the table's checks, the conditions of its indexes), which costs it more
/// than a row does.
struct NewRow: Sendable {
    let table: String
    /// Adds one row.
    let sql: String
    /// Those that add several, by how many: the greatest first.
    let larger: [(rows: Int, sql: String)]

    init(of table: String, _ columns: String...) {
        self.table = table
        let row = "(" + Array(repeating: "?", count: columns.count).joined(separator: ", ") + ")"
        let start = "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES "
        sql = start + row
        larger = [16, 4].map { rows in
            (rows, start + Array(repeating: row, count: rows).joined(separator: ", "))
        }
    }
}

/// Rows that are still to be added, in the order in which their tables were first named.
struct NewRows {
    private var tables: [(row: NewRow, values: [[any Storable]])] = []

    var isEmpty: Bool { tables.isEmpty }

    mutating func add(_ row: NewRow, _ values: [any Storable]) {
        if let place = tables.firstIndex(where: { $0.row.table == row.table }) {
            tables[place].values.append(values)
        } else {
            tables.append((row, [values]))
        }
    }

    func write(to session: any Session) throws {
        for (row, values) in tables {
            var rest = values[...]
            for (rows, sql) in row.larger {
                while rest.count >= rows {
                    try session.send(sql, rest.prefix(rows).flatMap(\.self))
                    rest = rest.dropFirst(rows)
                }
            }
            for values in rest { try session.send(row.sql, values) }
        }
    }
}
