import Foundation
import Model

/// A table that goes along when the history moves to another database: SQLite's and PostgreSQL's have the same columns.
struct HistoryTable: Sendable {
    let name: String
    let columns: [(name: String, type: SQLType)]
    /// The columns that tell its rows apart; it is read in their order.
    let key: [String]
    /// So many rows are in memory at once.
    let batch: Int

    private init(
        _ name: String, key: String, batch: Int = 500, integer: String = "", boolean: String = "", text: String = "",
        time: String = "", blob: String = ""
    ) {
        func words(_ text: String) -> [String] { text.split(whereSeparator: \.isWhitespace).map(String.init) }
        self.name = name
        self.key = words(key)
        self.batch = batch
        columns = [(integer, SQLType.integer), (boolean, .boolean), (text, .text), (time, .time), (blob, .blob)]
            .flatMap { names, type in words(names).map { ($0, type) } }
    }

    /// Each behind those that its rows refer to.
    static let all = [
        HistoryTable(
            // A body is a mebibyte at most.
            "deliveries", key: "number", batch: 16, integer: "number body_length",
            text: """
                id repository kind host sender_id event token remote_address redelivery_of ignored headers
                """,
            time: "received_at", blob: "body"),
        HistoryTable(
            "builds", key: "id", integer: "id attempt excused reused successor log_length", boolean: "fresh",
            text: """
                repository state ref commit message author rule captures runs_on image commit_tag digest cause_kind
                cause_host cause_detail delivery worker built input_key input_doubt reuse stop failure_kind failure_stage
                failure_message reason
                """,
            time: "lease_until retry_at made_at created_at started_at pushing_at finished_at"),
        HistoryTable(
            "build_tags", key: "build position", integer: "build position", boolean: "moved", text: "name reason"),
        HistoryTable("build_bases", key: "build image name", integer: "build", text: "image name digest"),
        HistoryTable("commit_tags", key: "image name", integer: "build", text: "image name"),
        HistoryTable(
            "tags", key: "image name", integer: "build", text: "image name commit digest found_digest",
            time: "moved_at found_at repair_until"),
        HistoryTable("moves", key: "image name", integer: "build attempt", text: "image name"),
        // A chunk is seldom more than 64 KiB.
        HistoryTable("log_chunks", key: "build offset", batch: 64, integer: "build offset", blob: "bytes"),
        HistoryTable("sources", key: "repository", text: "repository refs"),
    ]

    /// Copied at the end: until then the copy has a pause of its own.
    static let pause = HistoryTable("pause", key: "id", integer: "id", text: "by reason", time: "since")

    /// Who works is told anew, how many builds are pending is counted anew, and the rest is of one database only.
    static let left: Set = [
        "workers", "worker_mirrors", "duties", "buckets", "probe", "pending", "pending_counts", "slipway_schema",
    ]
}

extension Database {
    /// Up to `table.batch` rows behind the one with this key, in its order.
    func rows(of table: HistoryTable, after key: [any Storable]?) throws -> [[any Storable]] {
        let names = Self.list(table.columns.map(\.name))
        let keys = Self.list(table.key)
        let places = table.key.map { _ in "?" }.joined(separator: ", ")
        let rest = key == nil ? "" : "WHERE (\(keys)) > (\(places))"
        return try all(
            "SELECT \(names) FROM \(table.name) \(rest) ORDER BY \(keys) LIMIT \(table.batch)", list: key ?? []
        ) { row in try table.columns.map { try row.get($0.name, as: $0.type) } }
    }

    func insert(_ rows: [[any Storable]], into table: HistoryTable) throws {
        let places = table.columns.map { _ in "?" }.joined(separator: ", ")
        let sql = "INSERT INTO \(table.name) (\(Self.list(table.columns.map(\.name)))) VALUES (\(places))"
        for row in rows { try run(sql, list: row) }
    }

    private static func list(_ columns: [String]) -> String {
        columns.map { "\"\($0)\"" }.joined(separator: ", ")
    }
}

extension HistoryTable {
    /// The key of a row.
    func key(of row: [any Storable]) -> [any Storable] {
        key.compactMap { name in columns.firstIndex { $0.name == name }.map { row[$0] } }
    }

    /// How many bytes of its blobs a row holds.
    func bytes(of row: [any Storable]) -> Int {
        row.reduce(0) { sum, value in
            guard case .blob(let data) = value.stored else { return sum }
            return sum + data.count
        }
    }
}

extension Row {
    /// A column's value as one of its type, which may be null.
    fileprivate func get(_ name: String, as type: SQLType) throws(InvalidText) -> any Storable {
        switch type {
        case .integer: try get(name, as: Int64?.self)
        case .boolean: try get(name, as: Bool?.self)
        case .text: try get(name, as: String?.self)
        case .time: try get(name, as: Date?.self)
        case .blob: try get(name, as: Data?.self)
        }
    }
}
