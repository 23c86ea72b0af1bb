import Model

/// `build_args` and `trigger_build_args` of a rule.
extension SettingsReader {
    /// YAML's own text, so that `1.10` stays `1.10`.
    func buildArgs(_ node: Node) -> [String: String] {
        guard case .mapping(let entries) = node.content else {
            report.error(node.position, "build_args must be a mapping of names and texts, not \(node.kind)")
            return [:]
        }
        var arguments: [String: String] = [:]
        for entry in entries {
            checkName(entry.key, at: entry.position)
            if case .text(let text, _) = entry.value.content, !entry.value.isNull {
                arguments[entry.key] = text
            } else {
                report.error(
                    entry.value.position,
                    "build argument \(entry.key.excerpt()) must be text, not \(entry.value.kind); an empty one is \"\"")
            }
        }
        return arguments
    }

    /// The names that a trigger may give values to.
    func triggerBuildArgs(_ node: Node) -> [String] {
        oneOrMore(node).compactMap { item in
            guard let name = text(item, "a name of trigger_build_args") else { return nil }
            checkName(name, at: item.position)
            return name
        }
    }

    private func checkName(_ name: String, at position: Position) {
        guard name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) == nil else { return }
        report.error(
            position,
            "\"\(name.excerpt())\" can't be a build argument: letters, digits and \"_\" that don't begin with a digit can"
        )
    }
}
