/// Something to say about a place of the settings file.
package struct Finding: Sendable, Equatable, CustomStringConvertible {
    /// As it was asked for.
    package let file: String
    /// From 1; 0 where it is said of the file as a whole.
    package let line: Int
    /// From 1, in characters.
    package let column: Int
    /// A sentence that holds no secret.
    package let message: String

    package init(file: String, line: Int, column: Int, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    package var description: String {
        line == 0 ? "\(file): \(message)" : "\(file):\(line):\(column): \(message)"
    }
}

/// Everything that is wrong with a settings file, in the order of the file.
package struct SettingsErrors: Error, Sendable, Equatable, CustomStringConvertible {
    package let findings: [Finding]

    package init(findings: [Finding]) {
        self.findings = findings
    }

    /// One line a finding.
    package var description: String {
        findings.map(\.description).joined(separator: "\n")
    }
}

/// Where something begins in the file, both from 1.
struct Position: Sendable, Hashable, Comparable {
    let line: Int
    let column: Int

    static let wholeFile = Position(line: 0, column: 0)

    static func < (a: Position, b: Position) -> Bool {
        (a.line, a.column) < (b.line, b.column)
    }
}

/// Gathers the findings of one run, so that a fault does not hide the next one.
final class Report {
    private let file: String
    private var found: (errors: [Finding], warnings: [Finding]) = ([], [])

    init(file: String) {
        self.file = file
    }

    var errors: [Finding] { Self.inOrder(found.errors) }
    var warnings: [Finding] { Self.inOrder(found.warnings) }

    func error(_ position: Position, _ message: String) {
        add(finding(position, message), to: \.errors)
    }

    func warn(_ position: Position, _ message: String) {
        add(finding(position, message), to: \.warnings)
    }

    private func finding(_ position: Position, _ message: String) -> Finding {
        Finding(file: file, line: position.line, column: position.column, message: message)
    }

    /// A node that several aliases stand for is read several times, and its faults are told once.
    private func add(_ finding: Finding, to list: WritableKeyPath<(errors: [Finding], warnings: [Finding]), [Finding]>)
    {
        if !found[keyPath: list].contains(finding) { found[keyPath: list].append(finding) }
    }

    /// By place; what is said of one place stays in the order in which it was found.
    private static func inOrder(_ findings: [Finding]) -> [Finding] {
        findings.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }.map(\.element)
    }
}
