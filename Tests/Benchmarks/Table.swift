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

    /// `1.234 (1.100–1.500) s`.
    func text(_ unit: Unit) -> String {
        let (low, high) = (values.first ?? .nan, values.last ?? .nan)
        return "\(unit.text(median)) (\(unit.text(low))–\(unit.text(high))) \(unit.name)"
    }
}

enum Unit {
    case seconds, milliseconds, microseconds, megabytes, perSecond

    var name: String {
        switch self {
        case .seconds: "s"
        case .milliseconds: "ms"
        case .microseconds: "µs"
        case .megabytes: "MB"
        case .perSecond: "/s"
        }
    }

    func text(_ value: Double) -> String {
        switch self {
        case .seconds: String(format: "%.3f", value)
        case .milliseconds: String(format: "%.1f", value * 1e3)
        case .microseconds: String(format: "%.0f", value * 1e6)
        case .megabytes: String(format: "%.1f", value / 1e6)
        case .perSecond: String(format: "%.0f", value)
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
                name, plain?.text(unit) ?? "", slipway.text(unit), ratio.map { String(format: "%.2f", $0) } ?? "", aim,
                "\(slipway.count)",
            ]
        }

        private var aim: String {
            switch target {
            case .atMost(let limit): "≤ \(unit.text(limit)) \(unit.name)" + (slipway.median <= limit ? "" : ", missed")
            case .atLeast(let limit):
                "≥ \(unit.text(limit)) \(unit.name)" + (slipway.median >= limit ? "" : ", missed")
            case .ratio(let limit):
                "≤ " + String(format: "%.2f", limit) + ((ratio ?? .nan) <= limit ? "" : ", missed")
            case nil: ""
            }
        }
    }

    var rows: [Row] = []

    var text: String {
        let lines = [["", "beside it", "slipway", "ratio", "target", "runs"]] + rows.map(\.cells)
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { cells in
            let line = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return line.joined(separator: "  ").replacing(/\s+$/, with: "")
        }
        .joined(separator: "\n")
    }
}
