import Model

/// Rules by the JSON that builds keep them as: many builds share one, and reading it compiles its expression.
final class RuleCache {
    private static let limit = 256
    private var rules: [String: Rule] = [:]

    /// - Throws: `InvalidText` where the text is no rule.
    func rule(_ text: String) throws(InvalidText) -> Rule {
        if let rule = rules[text] { return rule }
        let rule = try JSON<Rule>(stored: .text(text)).content
        if rules.count >= Self.limit { rules.removeAll() }
        rules[text] = rule
        return rule
    }
}
