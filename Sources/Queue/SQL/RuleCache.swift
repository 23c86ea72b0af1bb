import Model

/// Rules and the JSON that builds keep them as: many builds share one, and reading it compiles its expression.
final class RuleCache {
    private static let limit = 256
    private var rules: [String: Rule] = [:]
    /// The rules written last, the latest first.
    private var written: [(rule: Rule, text: String)] = []

    /// - Throws: `InvalidText` where the text is no rule.
    func rule(_ text: String) throws(InvalidText) -> Rule {
        if let rule = rules[text] { return rule }
        let rule = try JSON<Rule>(stored: .text(text)).content
        if rules.count >= Self.limit { rules.removeAll() }
        rules[text] = rule
        return rule
    }

    func text(_ rule: Rule) throws -> String {
        if let place = written.firstIndex(where: { $0.rule == rule }) {
            if place > 0 { written.swapAt(place, place / 2) }
            return written[place / 2].text
        }
        let text = try JSON(rule).text
        if written.count >= Self.limit { written.removeLast() }
        written.insert((rule, text), at: 0)
        return text
    }
}

extension Rule {
    /// Whether both build the same, wherever they stand in the settings.
    func isSame(as other: Rule) -> Bool {
        var moved = self
        moved.number = other.number
        return moved == other
    }
}
