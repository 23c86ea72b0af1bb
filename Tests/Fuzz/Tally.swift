import Foundation

/// What came of the variants.
struct Tally: Sendable {
    /// How far the requests of one kind of sender got.
    struct Depth: Sendable {
        var sent = 0
        var proved = 0
        var read = 0
        var pushes = 0
        var builds = 0
    }

    private(set) var statuses: [Int: Int] = [:]
    private(set) var depths: [Substring: Depth] = [:]

    var sent: Int { statuses.values.reduce(0, +) }

    mutating func add(_ outcome: Inspector.Outcome, of host: Substring) {
        statuses[outcome.status, default: 0] += 1
        depths[host, default: Depth()].add(outcome)
    }

    mutating func add(_ other: Tally) {
        statuses.merge(other.statuses, uniquingKeysWith: +)
        depths.merge(other.depths) { $0.adding($1) }
    }

    /// Senders of which many requests came and none was read, so that nothing was tried.
    var shallow: [Substring] {
        depths.filter { $0.value.sent >= 500 && ($0.value.read == 0 || $0.value.builds == 0) }.keys.sorted()
    }

    var line: String {
        let counts = statuses.sorted { $0.key < $1.key }.map { "\($0.value) x \($0.key)" }.joined(separator: ", ")
        return "\(sent) variants: \(counts)"
    }

    /// A line for each kind of sender.
    var table: String {
        let rows =
            [["sender", "sent", "proved", "read", "pushes", "builds"]]
            + depths.sorted { $0.key < $1.key }.map { host, depth in
                [String(host)] + [depth.sent, depth.proved, depth.read, depth.pushes, depth.builds].map { "\($0)" }
            }
        return rows.map { row in
            let numbers = row.dropFirst().map { String(repeating: " ", count: max(1, 10 - $0.count)) + $0 }.joined()
            return row[0] + String(repeating: " ", count: max(1, 18 - row[0].count)) + numbers
        }.joined(separator: "\n")
    }
}

extension Tally.Depth {
    fileprivate mutating func add(_ outcome: Inspector.Outcome) {
        sent += 1
        proved += outcome.isProved ? 1 : 0
        read += outcome.isRead ? 1 : 0
        pushes += outcome.status == 202 ? 1 : 0
        builds += outcome.builds
    }

    fileprivate func adding(_ other: Tally.Depth) -> Tally.Depth {
        Tally.Depth(
            sent: sent + other.sent, proved: proved + other.proved, read: read + other.read,
            pushes: pushes + other.pushes, builds: builds + other.builds)
    }
}

/// What this process has in memory, in MB.
enum Usage {
    static var resident: Int { value("VmRSS:") }
    static var peak: Int { value("VmHWM:") }

    private static func value(_ name: String) -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return (line.flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) } ?? 0) >> 10
    }
}
