import Platform
import TestSupport
import Testing

@testable import Queue

/// That no table and no column of either schema is left out when the history moves.
@Suite struct HistoryTableTests {
    private static let tables = HistoryTable.all + [HistoryTable.pause]

    private struct Column: Hashable {
        let table: String
        let name: String
        let type: String
    }

    private func expect(_ columns: [Column], _ types: [SQLType: Set<String>]) {
        let names = Set(columns.map(\.table)).subtracting(HistoryTable.left)
        #expect(names == Set(Self.tables.map(\.name)))
        for table in Self.tables {
            let there = columns.filter { $0.table == table.name }
            #expect(there.map(\.name).sorted() == table.columns.map(\.name).sorted(), "of \(table.name)")
            for column in table.columns {
                let type = there.first { $0.name == column.name }?.type ?? ""
                #expect(types[column.type]?.contains(type) == true, "\(table.name).\(column.name) is \(type)")
            }
            #expect(Set(table.key).isSubset(of: table.columns.map(\.name)))
        }
    }

    @Test func ofSQLite() async throws {
        try await withFolder { folder in
            let path = folder + "/slipway.db"
            try await DatabaseStore.open(sqlite: path, time: ManualTime()).close()
            let database = try Database(path: path, access: .readWrite)
            let columns = try Rows.tables(of: database).flatMap { table in
                try database.all("SELECT name, type FROM pragma_table_info(?)", table) {
                    Column(table: table, name: try $0.get("name"), type: try $0.get("type"))
                }
            }
            expect(
                columns,
                [.integer: ["INTEGER"], .boolean: ["INTEGER"], .text: ["TEXT"], .time: ["TEXT"], .blob: ["BLOB"]])
            for table in Self.tables {
                let key = try database.all("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", table.name)
                {
                    try $0.get("name", as: String.self)
                }
                #expect(key == table.key, "of \(table.name)")
            }
        }
    }

    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs the Debian package postgresql"))
    func ofPostgreSQL() async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            let store = try #require(fixture.store as? DatabaseStore)
            let columns = try await store.read("test") { database in
                try database.all(
                    """
                    SELECT c.table_name AS "table", column_name AS name, data_type AS type
                    FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
                    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
                    """
                ) {
                    (
                        try $0.get("table", as: String.self), try $0.get("name", as: String.self),
                        try $0.get("type", as: String.self)
                    )
                }
            }
            expect(
                columns.map { Column(table: $0.0, name: $0.1, type: $0.2) },
                [
                    .integer: ["integer", "bigint"], .boolean: ["boolean"], .text: ["text", "json"],
                    .time: ["timestamp with time zone"], .blob: ["bytea"],
                ])
        }
    }
}
