import Foundation
import Settings
import Testing

/// `line:column: message` of every fault that reading the text tells; none where it can be read.
func faults(_ text: String, environment: [String: String] = [:]) -> [String] {
    do throws(SettingsErrors) {
        _ = try SettingsFile.parse(text: text, file: "s", environment: environment)
        return []
    } catch {
        return error.findings.map { String($0.description.dropFirst("s:".count)) }
    }
}

/// `line:column: message` of every warning.
func warnings(_ text: String, environment: [String: String] = [:]) throws -> [String] {
    try SettingsFile.parse(text: text, file: "s", environment: environment).warnings
        .map { String($0.description.dropFirst("s:".count)) }
}

/// Settings with one repository, `a/b`, whose further lines begin in line 5, column 5.
func repository(_ lines: String, source: String = "/srv/b.git", image: String = "r.test/b") -> String {
    let indented = lines.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
    return """
        repositories:
          a/b:
            source: \(source)
            image: \(image)
        \(indented.joined(separator: "\n"))
        """
}

/// A repository with one rule, on line 6 from column 9.
func rule(_ line: String) -> String {
    repository("rules:\n  - \(line)")
}

func read(_ text: String, environment: [String: String] = [:]) throws -> Settings {
    try SettingsFile.parse(text: text, file: "/etc/slipway/slipway.yaml", environment: environment).settings
}

/// One faulty text and all that is to be said of it.
struct Case: Sendable, CustomTestStringConvertible {
    let text: String
    let faults: [String]

    init(_ text: String, _ faults: String...) {
        self.text = text
        self.faults = faults
    }

    var testDescription: String { text }
}

let privateKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nYQ==\n-----END OPENSSH PRIVATE KEY-----\n"
