import Model

/// Single values: each is given, or reported and nil.
extension SettingsReader {
    /// Text that is not empty; numbers and truth values as they are written.
    func text(_ node: Node, _ name: String) -> String? {
        guard case .text(let text, _) = node.content, !node.isNull else {
            report.error(node.position, "\(name) must be text, not \(node.kind)")
            return nil
        }
        guard !text.isEmpty else {
            report.error(node.position, "\(name) is empty")
            return nil
        }
        return text
    }

    func value<Value: TextValue>(_ node: Node, _ name: String, _ type: Value.Type) -> Value? {
        guard let text = text(node, name) else { return nil }
        return value(text, at: node.position, type)
    }

    func value<Value: TextValue>(_ text: String, at position: Position, _ type: Value.Type) -> Value? {
        do throws(InvalidText) {
            return try Value(text)
        } catch {
            report.error(position, error.description)
            return nil
        }
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ node: Node, _ name: String, _ type: Choice.Type
    ) -> Choice? {
        guard let text = text(node, name) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        let hint =
            Nearest.word(to: text, in: words).map { "nearest is \"\($0)\"" } ?? "valid are \(Fields.quoted(words))"
        report.error(node.position, "\(name) \"\(text.excerpt())\" is not known; \(hint)")
        return nil
    }

    /// The words of YAML 1.1.
    ///
    /// - Parameter words: what a sentence says that can be written.
    func truth(_ node: Node, _ name: String, words: String = "true or false") -> Bool? {
        guard let text = text(node, name) else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default:
            report.error(node.position, "\(name) is \"\(text.excerpt())\"; write \(words)")
            return nil
        }
    }

    func integer(_ node: Node, _ name: String, _ range: ClosedRange<Int>) -> Int? {
        guard let text = text(node, name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            report.error(
                node.position,
                "\(name) is \"\(text.excerpt())\"; a whole number from \(range.lowerBound) to \(range.upperBound) can be"
            )
            return nil
        }
        return number
    }

    /// - Parameters:
    ///   - range: in seconds.
    ///   - examples: what a sentence shows of how it is written.
    /// - Returns: seconds.
    func duration(
        _ node: Node, _ name: String, _ range: ClosedRange<Int>, examples: String = "90s, 30m, 1h or 1h30m"
    ) -> Int? {
        duration(node, name, range, examples: examples, allowsMilliseconds: false).map { $0 / 1000 }
    }

    /// - Parameter range: in seconds.
    func milliseconds(_ node: Node, _ name: String, _ range: ClosedRange<Int>) -> Int? {
        duration(node, name, range, examples: "500ms, 2s or 1m", allowsMilliseconds: true)
    }

    /// - Returns: milliseconds.
    private func duration(
        _ node: Node, _ name: String, _ range: ClosedRange<Int>, examples: String, allowsMilliseconds: Bool
    ) -> Int? {
        guard let text = text(node, name) else { return nil }
        let form = /(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?(?:([0-9]{1,9})ms)?/
        guard let match = text.wholeMatch(of: form), allowsMilliseconds || match.5 == nil else {
            report.error(
                node.position, "\(name) is \"\(text.excerpt())\"; a duration is written as in \(examples)")
            return nil
        }
        let parts = zip([match.1, match.2, match.3, match.4, match.5], [86_400_000, 3_600_000, 60_000, 1000, 1])
        let milliseconds = parts.reduce(0) { $0 + (Int($1.0 ?? "0") ?? 0) * $1.1 }
        guard (range.lowerBound * 1000...range.upperBound * 1000).contains(milliseconds) else {
            report.error(
                node.position,
                "\(name) is \"\(text)\"; \(range.lowerBound)s to \(Self.shown(seconds: range.upperBound)) can be")
            return nil
        }
        return milliseconds
    }

    private static func shown(seconds: Int) -> String {
        if seconds > 86400, seconds % 86400 == 0 { return "\(seconds / 86400)d" }
        return seconds % 3600 == 0 ? "\(seconds / 3600)h" : "\(seconds)s"
    }

    /// - Parameter examples: what a sentence shows of how it is written.
    /// - Returns: bytes.
    func size(_ node: Node, _ name: String, examples: String) -> Int? {
        guard let text = text(node, name) else { return nil }
        let units = [
            "B": 1, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
        ]
        guard let match = text.wholeMatch(of: /([0-9]{1,9}) ?([A-Za-z]+)/), let count = Int(match.1),
            let unit = units[String(match.2)]
        else {
            report.error(
                node.position, "\(name) is \"\(text.excerpt())\"; a size is written as in \(examples)")
            return nil
        }
        return count * unit
    }

    func list(_ node: Node, _ name: String) -> [Node]? {
        guard case .list(let items) = node.content else {
            report.error(node.position, "\(name) must be a list, not \(node.kind)")
            return nil
        }
        return items
    }

    /// A list, or one item without a list around it.
    func oneOrMore(_ node: Node) -> [Node] {
        if case .list(let items) = node.content { items } else { [node] }
    }

    /// A path as it is, or from the settings file's folder.
    func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : folder + "/" + path
    }
}
