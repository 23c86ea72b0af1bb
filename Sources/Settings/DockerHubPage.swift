/// Lines of YAML, with comments of which some ask for a decision.
struct DockerHubPage {
    private(set) var lines: [String] = []
    private(set) var decisions = 0

    /// - Parameter indent: in spaces.
    mutating func add(_ line: String, _ indent: Int = 0) {
        lines.append(line.isEmpty ? "" : String(repeating: " ", count: indent) + line)
    }

    mutating func comment(_ text: String, _ indent: Int = 0) {
        let width = 112 - indent
        var line = ""
        for word in DockerHubYAML.line(text).split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                add("# \(line)", indent)
                line = "  \(word)"
            } else {
                line += line.isEmpty ? String(word) : " \(word)"
            }
        }
        add("# \(line)", indent)
    }

    mutating func decide(_ text: String, _ indent: Int = 0) {
        decisions += 1
        comment("DECIDE: \(text)", indent)
    }

    mutating func append(_ other: DockerHubPage) {
        lines += other.lines
        decisions += other.decisions
    }
}
