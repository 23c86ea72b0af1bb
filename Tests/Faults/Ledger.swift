import Foundation
import TestSupport

/// What the service's database holds, read by that database's own program: without a line of the service's.
struct Ledger: Sendable {
    struct Build: Decodable {
        var id: Int
        var repository: String
        var state: String
        var ref: String
        var commit: String?
        var rule: Int
        var digest: String?
        var attempt: Int
        var failure_kind: String?
        var failure_message: String?
        var cause_kind: String
        var successor: Int?
        var reason: String?

        var isEnd: Bool { !["pending", "building", "pushing"].contains(state) }
        var shown: String {
            "build \(id) (\(repository) \(ref) \(commit?.prefix(12) ?? "no commit"), rule \(rule), cause \(cause_kind), "
                + "attempt \(attempt), \(state)\((failure_message ?? reason).map { ": \($0.prefix(300))" } ?? ""))"
        }
    }

    private struct Open: Decodable {
        var id: Int
        var state: String
    }

    private struct ID: Decodable { var id: String }

    /// Answers a query with its rows as JSON.
    private let query: @Sendable (String) async throws -> String

    init(query: @escaping @Sendable (String) async throws -> String) { self.query = query }

    init(sqlite path: String) {
        query = { try await Command.run("sqlite3", ["-readonly", "-json", "-cmd", ".timeout 20000", path, $0]) }
    }

    func builds() async throws -> [Build] {
        try await rows(
            """
            SELECT id, repository, state, ref, "commit", CAST(rule ->> 'number' AS integer) AS rule, digest, attempt, failure_kind,
                failure_message, cause_kind, successor, reason FROM builds ORDER BY id
            """)
    }

    /// The first build that has not ended, and how many there are.
    func open() async throws -> (first: (id: Int, state: String)?, count: Int) {
        let open: [Open] = try await rows(
            "SELECT id, state FROM builds WHERE state IN ('building', 'pushing', 'pending') ORDER BY state, id")
        return (open.first.map { ($0.id, $0.state) }, open.count)
    }

    func deliveries() async throws -> Set<String> {
        let ids: [ID] = try await rows("SELECT id FROM deliveries")
        return Set(ids.map(\.id))
    }

    /// How many repositories' sources were looked at.
    func sourcesSeen() async throws -> Int {
        struct Source: Decodable { let repository: String }
        let sources: [Source] = try await rows("SELECT repository FROM sources")
        return sources.count
    }

    func rows<Row: Decodable>(_ question: String) async throws -> [Row] {
        let text = try await query(question)
        return text.isEmpty ? [] : try JSONDecoder().decode([Row].self, from: Data(text.utf8))
    }
}
