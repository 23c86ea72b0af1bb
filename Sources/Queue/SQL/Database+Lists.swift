import Foundation
import Model

/// Lists of builds.
extension Database {
    func builds(_ query: BuildQuery) throws -> [Build] {
        var conditions: [String] = []
        var arguments: [any Storable] = []
        func add(_ condition: String, _ argument: (any Storable)?) {
            guard let argument else { return }
            conditions.append(condition)
            arguments.append(argument)
        }
        add("repository = ?", query.repository)
        add("ref = ?", query.ref)
        add("\"commit\" = ?", query.commit)
        add("id < ?", query.before)
        // SQLite takes a negative limit for none.
        let limit = max(0, query.limit)
        let parts = Self.parts(of: query)
        // The newest of each part by themselves: all of them in one would be all that are in these states, to be sorted,
        // or all that are in others, to be passed over.
        let lists = parts.map { part in
            let all = ([part.condition] + conditions).joined(separator: " AND ")
            return "SELECT id FROM (SELECT id FROM builds \(part.source) WHERE \(all) ORDER BY id DESC LIMIT ?) AS part"
        }
        let builds = try all(
            """
            SELECT \(Build.columns) FROM builds WHERE id IN (\(lists.joined(separator: " UNION ALL ")))
            ORDER BY id DESC LIMIT ?
            """, list: parts.flatMap { _ in arguments + [limit] } + [limit]
        ) { try Build(row: $0, rules: rules) }
        return try withLists(builds)
    }

    /// Some of the builds that a query is about, and where their order or they themselves are found.
    private struct Part {
        var condition: String
        /// Nil is the table itself.
        var index: String?

        var source: String { index.map { "INDEXED BY \($0)" } ?? "" }
    }

    private static func parts(of query: BuildQuery) -> [Part] {
        let states =
            query.states.isEmpty ? Build.State.allCases : Set(query.states).sorted { $0.rawValue < $1.rawValue }
        let (living, ended) = (states.filter { !$0.isEnd }, states.filter(\.isEnd))
        switch (query.repository, query.ref, query.commit) {
        case (_?, _?, _?):
            return [Part(condition: isOne(of: states), index: "builds_by_commit")]
        case (_?, _?, nil):
            return [
                ("finished_at IS NULL", living, "builds_living_of_ref"),
                ("finished_at IS NOT NULL", ended, "builds_ended_of_ref"),
            ]
            .filter { !$0.1.isEmpty }
            .map { Part(condition: "\($0.0) AND \(isOne(of: $0.1))", index: $0.2) }
        case _ where query.states.isEmpty:
            return [Part(condition: "TRUE")]
        case (let repository, _, _):
            return states.map { state in
                let (condition, index) =
                    switch (state, repository) {
                    case (.pending, _): ("state = 'pending'", "builds_due")
                    case (.building, _), (.pushing, _):
                        ("lease_until IS NOT NULL AND worker IS NOT NULL", "builds_running")
                    case (_, nil): ("finished_at IS NOT NULL", "builds_ended")
                    case (_, _?): ("finished_at IS NOT NULL", "builds_ended_of_repository")
                    }
                return Part(condition: "\(condition) AND state = '\(state)'", index: index)
            }
        }
    }

    private static func isOne(of states: [Build.State]) -> String {
        "state IN (\(states.map { "'\($0)'" }.joined(separator: ", ")))"
    }
}
