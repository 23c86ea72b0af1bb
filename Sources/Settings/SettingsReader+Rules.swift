import Model

/// The rules of a repository.
extension SettingsReader {
    private static let keys =
        [
            "branch", "tag", "tags", "dockerfile", "context", "build_args", "trigger_build_args", "target",
            "autobuild", "timeout", "paths", "paths_ignore", "order", "cancel_running", "follow_base",
            "memory", "cpus", "processes", "network", "runs_on",
        ] + reuseKeys

    /// - Parameters:
    ///   - node: nil gives the one rule that builds the default branch.
    ///   - commitTag: the repository's `commit_tag`.
    func rules(_ node: Node?, commitTag: Node?) -> [Rule] {
        guard let base = self.commitTag(commitTag), let latest = value("latest", at: .wholeFile, Template.self) else {
            return []
        }
        guard let node else {
            let rule = Rule(number: 1, source: .defaultBranch, tags: [latest], commitTag: base)
            if let commitTag { check(base, at: commitTag.position, "commit_tag", against: rule.source) }
            return [rule]
        }
        let items = list(node, "rules") ?? []
        if case .list = node.content, items.isEmpty {
            report.error(node.position, "rules has no rule; without \"rules\" the default branch is built as latest")
        }
        let rules = items.enumerated().compactMap { index, item -> Rule? in
            guard let rule = self.rule(item, number: index + 1, defaultTag: latest, base) else { return nil }
            if let commitTag {
                check(base, at: commitTag.position, "commit_tag, in rule \(rule.number),", against: rule.source)
            }
            return rule
        }
        return withCommitTags(rules, at: commitTag?.position ?? node.position)
    }

    private func rule(_ node: Node, number: Int, defaultTag: Template, _ commitTag: Template) -> Rule? {
        guard let fields = Fields(node, "a rule", keys: Self.keys, blank: ["context"], report) else { return nil }
        let source = self.source(fields)
        var rule = Rule(number: number, source: source ?? .defaultBranch, tags: [defaultTag], commitTag: commitTag)
        if let node = fields["tags"] { rule.tags = tags(node, source) }
        if let node = fields["dockerfile"] { rule.dockerfile = text(node, "dockerfile") }
        if let node = fields["context"], !isBlank(node) { rule.context = text(node, "context") }
        checkPaths(rule, fields)
        if let node = fields["build_args"] { rule.buildArgs = buildArgs(node) }
        if let node = fields["trigger_build_args"] { rule.triggerBuildArgs = triggerBuildArgs(node) }
        if let node = fields["target"] { rule.target = target(node) }
        if let node = fields["follow_base"], let follows = truth(node, "follow_base") { rule.followsBase = follows }
        setReuse(of: &rule, fields)
        if let node = fields["autobuild"], let autobuild = truth(node, "autobuild") { rule.autobuild = autobuild }
        if let node = fields["timeout"], let timeout = duration(node, "timeout", 1...86400) { rule.timeout = timeout }
        rule.paths = globs(fields, "paths", source)
        rule.pathsIgnored = globs(fields, "paths_ignore", source)
        rule.limits = buildLimits(fields)
        if let node = fields["runs_on"] { rule.runsOn = labels(node, "runs_on").sorted() }
        setPrecedence(of: &rule, fields, source)
        return source == nil ? nil : rule
    }

    private func source(_ fields: Fields) -> Rule.Source? {
        if let branch = fields["branch"] {
            if fields["tag"] != nil, let tag = fields.position(of: "tag") {
                report.error(
                    max(tag, fields.position(of: "branch") ?? tag), "a rule is for a branch or for a tag, not both")
                return nil
            }
            return pattern(branch, .branch).map { .branch($0) }
        }
        if let tag = fields["tag"] { return pattern(tag, .tag).map { .tag($0) } }
        fields.requireEither("branch", "tag", report)
        return nil
    }

    private func pattern(_ node: Node, _ kind: RefName.Kind) -> Pattern? {
        guard let pattern = value(node, kind.rawValue, Pattern.self) else { return nil }
        if !pattern.isExpression { checkExactName(pattern.text, kind, at: node.position) }
        return pattern
    }

    /// Tells of names that no branch or tag will ever have.
    private func checkExactName(_ name: String, _ kind: RefName.Kind, at position: Position) {
        if Self.looksLikeExpression(name) {
            let bare = name.trimmingPrefix("/")
            report.warn(position, "\"\(name.excerpt())\" is taken for an exact name; did you mean /\(bare)/?")
        } else if name.hasPrefix("refs/heads/") || name.hasPrefix("refs/tags/") {
            let short = name.trimmingPrefix(/refs\/(heads|tags)\//)
            report.warn(
                position, "\"\(name.excerpt())\" is taken for a name without refs/…; did you mean \"\(short)\"?")
        } else {
            do throws(InvalidText) {
                _ = try RefName(kind, name)
            } catch {
                report.error(position, error.description)
            }
        }
    }

    /// Characters that no ref can hold, or that few do, and that expressions are made of.
    static func looksLikeExpression(_ name: String) -> Bool {
        name.contains { "^*?[\\".contains($0) } || name.hasSuffix("$") || name.contains(".+")
            || (name.contains("(") && name.contains(")"))
    }

    private func tags(_ node: Node, _ source: Rule.Source?) -> [Template] {
        let items = oneOrMore(node)
        if items.isEmpty { report.error(node.position, "tags has no tag; without \"tags\" it is latest") }
        return items.flatMap { item -> [Template] in
            guard let list = text(item, "a tag") else { return [] }
            return list.split(separator: ",", omittingEmptySubsequences: false).compactMap { piece in
                let name = String(piece.trimming { $0.isWhitespace })
                guard let template = value(name, at: item.position, Template.self) else { return nil }
                if let source { check(template, at: item.position, "\"\(name.excerpt())\"", against: source) }
                return template
            }
        }
    }

    private func target(_ node: Node) -> String? {
        guard let target = text(node, "target") else { return nil }
        guard target.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._\-]*/) != nil else {
            report.error(node.position, "target \"\(target.excerpt())\" can't be the name of a Dockerfile's stage")
            return nil
        }
        return target
    }

    private func checkPaths(_ rule: Rule, _ fields: Fields) {
        switch LexicalPaths.of(rule) {
        case .inside: break
        case .contextLeaves:
            let position = fields["context"]?.position ?? fields.position
            report.error(position, "context \"\(rule.context?.excerpt() ?? "")\" leaves the repository")
        case .dockerfileLeaves:
            let position = fields["dockerfile"]?.position ?? fields.position
            report.error(position, "dockerfile \"\(rule.dockerfile?.excerpt() ?? "")\" leaves the repository")
        }
    }

    /// `order` and `cancel_running`.
    private func setPrecedence(of rule: inout Rule, _ fields: Fields, _ source: Rule.Source?) {
        if let node = fields["order"], let order = choice(node, "order", Rule.Order.self) {
            rule.order = order
            if case .branch = source, let position = fields.position(of: "order") {
                report.error(position, "order is for rules for tags; a branch's builds are ordered by their commits")
            }
        }
        if let node = fields["cancel_running"], let cancels = truth(node, "cancel_running") {
            rule.cancelRunning = cancels
            if case .tag = source, let position = fields.position(of: "cancel_running") {
                report.error(
                    position, "cancel_running is for rules for branches, never for tags: each tag is built to its end")
            }
        }
    }

    /// `paths` or `paths_ignore`.
    private func globs(_ fields: Fields, _ key: String, _ source: Rule.Source?) -> [Glob] {
        guard let node = fields[key] else { return [] }
        if case .tag = source, let position = fields.position(of: key) {
            report.error(position, "\(key) is for rules for branches, never for tags: a tag is built whatever changed")
        }
        let items = oneOrMore(node)
        if items.isEmpty { report.error(node.position, "\(key) has no pattern; leave it out where every file counts") }
        return items.compactMap { item in
            let glob = value(item, key, Glob.self)
            if let glob, glob.text.hasPrefix("!") {
                report.warn(
                    item.position,
                    "\"\(glob.text.excerpt())\" is taken for a name that begins with \"!\"; what is not to count goes under paths_ignore"
                )
            }
            return glob
        }
    }

    /// Docker Hub's blank context.
    private func isBlank(_ node: Node) -> Bool {
        if case .text(let text, _) = node.content { text.allSatisfy(\.isWhitespace) } else { false }
    }
}

extension StringProtocol {
    fileprivate func trimming(_ isOut: (Character) -> Bool) -> SubSequence {
        let head = drop(while: isOut)
        return head[..<(head.lastIndex { !isOut($0) }.map(head.index(after:)) ?? head.startIndex)]
    }
}
