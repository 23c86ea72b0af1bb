import Foundation
import Model

/// The output of builds, in chunks as they came.
extension Database {
    /// - Returns: false where the attempt does not hold the build.
    func append(_ hold: Hold, log: Data) throws -> Bool {
        guard let end = try lengthenLog(hold, by: log.count) else { return false }
        if !log.isEmpty { try insert(log, of: hold.build, at: end - log.count) }
        return true
    }

    /// - Returns: the log's length with the new bytes; nil where the attempt does not hold the build.
    private func lengthenLog(_ hold: Hold, by count: Int) throws -> Int? {
        try first(
            """
            UPDATE builds SET log_length = log_length + ?
            WHERE id = ? AND state IN ('building', 'pushing') AND attempt = ?
            RETURNING log_length
            """, count, hold.build, hold.attempt
        ) { try $0.get("log_length") }
    }

    private func insert(_ bytes: Data, of build: Build.ID, at offset: Int) throws {
        // Where output was before, more was written behind it.
        prove(
            by: Evidence(
                sql: "SELECT build FROM log_chunks WHERE build = ? AND \"offset\" = ?", arguments: [build, offset]))
        try run("INSERT INTO log_chunks (build, \"offset\", bytes) VALUES (?, ?, ?)", build, offset, bytes)
    }

    func log(_ build: Build.ID, offset: Int, limit: Int) throws -> Data {
        let start = max(0, offset)
        let (sum, overflow) = start.addingReportingOverflow(max(0, limit))
        let end = overflow ? Int.max : sum
        guard start < end else { return Data() }
        // Begins with the chunk that `start` lies in.
        let pieces = try all(
            """
            SELECT "offset", bytes FROM log_chunks
            WHERE build = ?1 AND "offset" < ?3
                AND "offset" >= coalesce((SELECT max("offset") FROM log_chunks WHERE build = ?1 AND "offset" <= ?2), 0)
            ORDER BY "offset"
            """, build, start, end
        ) { row in
            let (offset, bytes) = (try row.get("offset", as: Int.self), try row.get("bytes", as: Data.self))
            return bytes.prefix(end - offset).dropFirst(max(0, start - offset))
        }
        return pieces.reduce(into: Data()) { $0.append($1) }
    }

    func logLength(_ build: Build.ID) throws -> Int {
        try first("SELECT log_length FROM builds WHERE id = ?", build) { try $0.get("log_length") } ?? 0
    }
}
