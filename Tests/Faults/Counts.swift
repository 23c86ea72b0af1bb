import Synchronization

/// How often each thing was done or seen.
final class Counts: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    subscript(name: String) -> Int { counts.withLock { $0[name] ?? 0 } }

    func add(_ name: String, _ number: Int = 1) { counts.withLock { $0[name, default: 0] += number } }

    /// A line for each, sorted.
    var table: String {
        let rows = counts.withLock { $0 }.sorted { $0.key < $1.key }
        return rows.map { "  \($0.key)\(String(repeating: " ", count: max(1, 34 - $0.key.count)))\($0.value)" }
            .joined(separator: "\n")
    }
}

/// What must not be and was, with its evidence.
final class Findings: Sendable {
    private let found = Mutex<[String]>([])

    var all: [String] { found.withLock { $0 } }

    func add(_ sentence: String) { found.withLock { $0.append(sentence) } }
}
