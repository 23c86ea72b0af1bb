import Model

/// Templates: whether a rule's refs can fill them, and the commit tags that rules get.
extension SettingsReader {
    /// The template of the permanent tag, before rules that build differently are told apart.
    func commitTag(_ node: Node?) -> Template? {
        guard let node else { return value("sha-{sha12}", at: .wholeFile, Template.self) }
        guard let template = value(node, "commit_tag", Template.self) else { return nil }
        let namesCommit = template.words.contains { if case .sha = $0 { true } else { false } }
        if !namesCommit {
            report.error(
                node.position, "commit_tag \"\(template.text.excerpt())\" must name the commit, by {sha12} or {sha}")
        }
        return template
    }

    /// - Parameter what: the template, as sentences call it.
    func check(_ template: Template, at position: Position, _ what: String, against source: Rule.Source) {
        for part in template.parts {
            guard case .word(let word, let written) = part, let why = reason(word, unknownTo: source) else { continue }
            report.error(position, "\(what) uses {\(written)}, \(why)")
        }
    }

    /// Why no ref of the rule can fill the word, or nil.
    private func reason(_ word: Template.Word, unknownTo source: Rule.Source) -> String? {
        let pattern: Pattern?
        let isTag: Bool
        switch source {
        case .defaultBranch: (pattern, isTag) = (nil, false)
        case .branch(let branch): (pattern, isTag) = (branch, false)
        case .tag(let tag): (pattern, isTag) = (tag, true)
        }
        switch word {
        case .branch where isTag: return "but the rule is for tags; {tag} and {sourceref} are known"
        case .tag where !isTag: return "but the rule is for branches; {branch} and {sourceref} are known"
        case .version where !isTag, .major where !isTag, .minor where !isTag, .patch where !isTag:
            return "which is read from a Git tag, but the rule is for branches"
        case .group(let n):
            guard let pattern, pattern.isExpression else {
                return "but only a rule with a /regular expression/ has groups"
            }
            guard n > pattern.groups else { return nil }
            let groups =
                pattern.groups == 0 ? "no groups" : pattern.groups == 1 ? "one group" : "\(pattern.groups) groups"
            return "but \(pattern) has \(groups)"
        default: return nil
        }
    }

    /// Gives rules that build differently different commit tags: those that don't build as the first rule does get the
    /// number of the first rule of their kind at the end.
    func withCommitTags(_ rules: [Rule], at position: Position) -> [Rule] {
        guard let first = rules.first.map(Recipe.init) else { return [] }
        var numbers: [Recipe: Int] = [:]
        return rules.map { rule in
            let recipe = Recipe(rule)
            guard recipe != first else { return rule }
            let number = numbers[recipe, default: rule.number]
            numbers[recipe] = number
            var rule = rule
            if let template = value("\(rule.commitTag.text)-\(number)", at: position, Template.self) {
                rule.commitTag = template
            }
            return rule
        }
    }
}

/// What decides what is in an image, besides the commit.
private struct Recipe: Hashable {
    let paths: LexicalPaths
    let buildArgs: [String: String]
    let target: String?
    let network: Rule.Limits.Network

    init(_ rule: Rule) {
        paths = LexicalPaths.of(rule)
        buildArgs = rule.buildArgs
        target = rule.target
        network = rule.limits.network
    }
}
