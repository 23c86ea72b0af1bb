import Foundation

/// Figures of one thing measured several times.
struct Sample: Sendable {
    /// In rising order, never empty where something was measured.
    private let values: [Double]

    init(_ values: [Double]) {
        self.values = values.sorted()
    }

    var count: Int { values.count }

    var median: Double {
        guard !values.isEmpty else { return .nan }
        return (values[(values.count - 1) / 2] + values[values.count / 2]) / 2
    }

    /// What so large a share of the values is not above.
    func quantile(_ share: Double) -> Double {
        values.isEmpty ? .nan : values[min(values.count - 1, Int(Double(values.count) * share))]
    }

    /// `1.234 (1.100–1.500) s`.
    func text(_ unit: Unit) -> String {
        let (low, high) = (values.first ?? .nan, values.last ?? .nan)
        return "\(unit.text(median)) (\(unit.text(low))–\(unit.text(high))) \(unit.name)"
            .trimmingCharacters(in: .whitespaces)
    }
}

enum Unit {
    case seconds, milliseconds, microseconds, megabytes, kilobytes, perSecond, percent, pieces

    var name: String {
        switch self {
        case .seconds: "s"
        case .milliseconds: "ms"
        case .microseconds: "µs"
        case .megabytes: "MB"
        case .kilobytes: "KB"
        case .perSecond: "/s"
        case .percent: "%"
        case .pieces: ""
        }
    }

    func text(_ value: Double) -> String {
        switch self {
        case .seconds: String(format: "%.3f", value)
        case .milliseconds: String(format: "%.1f", value * 1e3)
        case .microseconds: String(format: "%.0f", value * 1e6)
        case .megabytes: String(format: "%.1f", value / 1e6)
        case .kilobytes: String(format: "%.1f", value / 1e3)
        case .percent: String(format: "%.0f", value * 100)
        case .pieces: String(format: "%.1f", value)
        case .perSecond: String(format: value < 100 ? "%.1f" : "%.0f", value)
        }
    }
}

/// The figures for people: a line each.
struct Table {
    enum Target {
        /// Of the median, in seconds or bytes.
        case atMost(Double)
        case atLeast(Double)
        /// Of the two medians.
        case ratio(Double)
        case below(ratio: Double)
        case both(ratio: Double, atMost: Double)
    }

    struct Row {
        var name: String
        var plain: Sample?
        var slipway: Sample
        var unit: Unit
        var target: Target?

        fileprivate var ratio: Double? { plain.map { slipway.median / $0.median } }

        fileprivate var cells: [String] {
            [
                name, plain?.text(unit) ?? "", slipway.text(unit), ratio.map { String(format: "%.2f", $0) } ?? "",
                target.map(aim) ?? "", "\(slipway.count)",
            ]
        }

        private func aim(_ target: Target) -> String {
            switch target {
            case .atMost(let limit): aim("≤ \(unit.text(limit)) \(unit.name)", slipway.median <= limit)
            case .atLeast(let limit): aim("≥ \(unit.text(limit)) \(unit.name)", slipway.median >= limit)
            case .ratio(let limit): aim("≤ " + String(format: "%.2f", limit), (ratio ?? .nan) <= limit)
            case .below(let limit): aim("< " + String(format: "%.2f", limit), (ratio ?? .nan) < limit)
            case .both(let limit, let most): aim(.ratio(limit)) + "; " + aim(.atMost(most))
            }
        }

        private func aim(_ words: String, _ isMet: Bool) -> String { words + (isMet ? "" : ", missed") }
    }

    var rows: [Row] = []

    private var lines: [[String]] {
        [["", "beside it", "slipway", "ratio", "target", "runs"]] + rows.map(\.cells)
    }

    /// As `README.md` shows it.
    var markdown: String {
        var lines = lines
        lines.insert(["---", "---:", "---:", "---:", "---", "---:"], at: 1)
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    var text: String {
        let lines = lines
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { cells in
            let line = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return line.joined(separator: "  ").replacing(/\s+$/, with: "")
        }
        .joined(separator: "\n")
    }
}
