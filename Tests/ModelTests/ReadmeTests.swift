import Foundation
import Testing

@testable import Model

/// The table of regular expressions that README.md gives to users.
@Suite struct ReadmeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var expression: String
        var name: String
        var matches: Bool
        var groups: [String]

        var testDescription: String { "\(expression) \(name)" }
    }

    /// Rows as `| code | code | yes or no | code | code |`; in code a bar is written `\|`.
    static let rows: [Row] = {
        let readme = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "README.md").path
        let text = (try? String(contentsOfFile: readme, encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n").drop { !$0.hasPrefix("| expression |") }.prefix { $0.hasPrefix("|") }
        return lines.dropFirst(2).compactMap { line in
            let cells = line.replacing("\\|", with: "\u{0}").split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.replacing("\u{0}", with: "|").trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
            guard cells.count == 7 else { return nil }
            return Row(expression: cells[1], name: cells[2], matches: cells[3] == "yes", groups: [cells[4], cells[5]])
        }
    }()

    @Test func theTableIsThere() {
        #expect(Self.rows.count >= 20)
    }

    @Test(arguments: rows)
    func everyRowHolds(row: Row) throws {
        let pattern = try Pattern(row.expression)
        let captures = pattern.captures(in: row.name)
        #expect((captures != nil) == row.matches)
        guard let captures else { return }
        let groups = (1...2).map { $0 < captures.count ? captures[$0] : "" }
        #expect(groups == row.groups)
        #expect(pattern.groups == captures.count - 1)
    }
}
