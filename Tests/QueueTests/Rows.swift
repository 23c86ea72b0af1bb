@testable import Queue

/// What a database holds, as texts that can be compared.
enum Rows {
    /// Every row of every table, with its columns' names.
    static func all(in database: Database) throws -> [String] {
        try tables(of: database).flatMap { table in
            try rows(of: table, columns(of: table, in: database), in: database)
        }
    }

    /// The tables that Slipway's schema makes, by name.
    static func tables(of database: Database) throws -> [String] {
        try database.all(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ) { try $0.get("name") }
    }

    static func columns(of table: String, in database: Database) throws -> [String] {
        try database.all("SELECT name FROM pragma_table_info(?) ORDER BY name", table) { try $0.get("name") }
    }

    /// `table: column=value, …`, a line each, in a fixed order.
    static func rows(of table: String, _ columns: [String], in database: Database) throws -> [String] {
        let text = columns.map { "'\($0)=' || quote(\"\($0)\")" }.joined(separator: " || ', ' || ")
        return try database.all("SELECT '\(table): ' || \(text) AS line FROM \"\(table)\" ORDER BY 1") {
            try $0.get("line")
        }
    }
}
