import Foundation
import Platform

/// stdout is data, stderr is talk; colour only on a terminal. Nothing that is printed or told can steer one.
enum Terminal {
    static func print(_ text: String) { write(Data("\(ControlFilter.harmless(text))\n".utf8)) }

    static func write(_ bytes: Data) {
        do { try FileHandle.standardOutput.write(contentsOf: bytes) } catch {
            // Whoever read our output has gone: there is nobody left to tell.
            exit(Exit.couldNot.rawValue)
        }
    }

    static func talk(_ text: String) {
        FileHandle.standardError.write(Data("\(ControlFilter.harmless(text))\n".utf8))
    }

    static let isTerminal = isatty(STDOUT_FILENO) == 1
    private static let colours =
        isTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
        && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    /// The terminal's width in characters; nil where there is none, and nothing is cut.
    static var width: Int? {
        guard isTerminal else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
        return Int(size.ws_col)
    }

    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case dim = "2"
        case bold = "1"
    }

    static func coloured(_ text: String, _ colour: Colour?) -> String {
        guard colours, let colour else { return text }
        return "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m"
    }

    /// Text from outside as a part of one line: without colours, line ends, or what turns the direction of writing.
    static func harmless(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                ControlFilter.harmless(text, keepsColours: false).unicodeScalars.map {
                    $0.properties.generalCategory == .control || $0.properties.generalCategory == .format ? " " : $0
                }))
    }
}

/// Columns that line up.
struct Table {
    struct Cell {
        var text: String
        var colour: Terminal.Colour?

        init(_ text: String, _ colour: Terminal.Colour? = nil) {
            self.text = Terminal.harmless(text)
            self.colour = colour
        }
    }

    private var rows: [[Cell]] = []
    /// Columns whose text ends at the right.
    var right: Set<Int> = []

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// - Parameter width: lines longer than this are cut at the last column; nil cuts nothing.
    func lines(width: Int?) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].text.count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var room = width ?? .max
            var line = ""
            for (column, cell) in row.enumerated() where room > 0 {
                let last = column == row.count - 1
                let gap = String(repeating: " ", count: widths[column] - cell.text.count)
                var text = cell.text
                if text.count > room { text = text.prefix(max(0, room - 1)) + "…" }
                let coloured = Terminal.coloured(text, cell.colour)
                line += right.contains(column) ? gap + coloured : coloured + (last ? "" : gap)
                if !last { line += "  " }
                room -= widths[column] + 2
            }
            return line
        }
    }
}
