import Model

/// The rules of a repository, each read by the settings' own reader before it is written.
extension DockerHubWriter {
    mutating func add(rules: [DockerHubSource.Rule]) {
        var numbers: [Recipe: Int] = [:]
        var number = 0
        var lines = DockerHubPage()
        for rule in rules {
            let draft = DockerHubRule(rule)
            guard draft.errors.isEmpty else {
                lines.decide("This rule can't be carried over: \(draft.errors.joined(separator: "; ")).", 6)
                for line in draft.lines { lines.add("# \(line)", 6) }
                continue
            }
            for doubt in draft.doubts { lines.decide(doubt, 6) }
            number += 1
            let recipe = Recipe(source: draft.lines.first, dockerfile: rule.dockerfile, context: rule.context)
            if let first = numbers[recipe] {
                lines.comment(
                    "Builds the same as rule \(first); one rule with the tags of both would build it once.", 6)
            } else {
                numbers[recipe] = number
            }
            if !rule.autobuild {
                lines.comment("Pushes don't build it; a trigger does, and pushes the image, as Docker Hub's did.", 6)
            }
            for line in draft.lines { lines.add(line, 6) }
        }
        self.rules += number
        if number == 0 {
            page.decide(
                rules.isEmpty
                    ? "Docker Hub had no rules and built nothing. Without \"rules\" the default branch is built as latest."
                    : "None of the rules can be carried over; write one.", 4)
            page.add("rules: []", 4)
        } else {
            page.add("rules:", 4)
        }
        page.append(lines)
    }
}

/// What decides what is in an image, besides the commit.
private struct Recipe: Hashable {
    let source: String?
    let dockerfile: String?
    let context: String?
}

/// One rule as lines of YAML, with all that is to be said of it.
private struct DockerHubRule {
    /// Without indentation.
    private(set) var lines: [String] = []
    /// Why the rule can't be one of Slipway's.
    private(set) var errors: [String] = []
    /// What a person has to look at.
    private(set) var doubts: [String]

    init(_ rule: DockerHubSource.Rule) {
        doubts = rule.guesses
        let kind = rule.type.lowercased()
        if kind != "branch" && kind != "tag" {
            errors.append("its source type is \"\(rule.type.excerpt())\"; Branch and Tag are known")
        }
        let source = self.source(rule.name, kind: kind)
        lines.append("- \(kind == "tag" ? "tag" : "branch"): \(DockerHubYAML.scalar(source))")
        let tags = (rule.tags ?? "latest").split(separator: ",").map { $0.trimmingPrefix(while: \.isWhitespace) }
            .map { String($0.reversed().drop(while: \.isWhitespace).reversed()) }.filter { !$0.isEmpty }
        lines.append("  tags: \(DockerHubYAML.list(tags))")
        if let context = rule.context { lines.append("  context: \(DockerHubYAML.scalar(context))") }
        if let dockerfile = rule.dockerfile { lines.append("  dockerfile: \(DockerHubYAML.scalar(dockerfile))") }
        if !rule.cache { lines.append("  cache: false") }
        if !rule.autobuild { lines.append("  autobuild: false") }
        judge()
    }

    /// The name or expression, with slashes where they were forgotten.
    private mutating func source(_ written: String?, kind: String) -> String {
        guard let written else {
            if kind == "tag" { errors.append("it names no tag") }
            doubts.append("Docker Hub was given no name, which meant master; write main if that is what it is by now.")
            return "master"
        }
        if let flags = written.wholeMatch(of: /\/(.+)\/([A-Za-z]+)/) {
            errors.append(
                "Docker Hub took no flags behind the slash, so it matched nothing; /(?\(flags.2))\(flags.1)/ would")
            return written
        }
        let isExpression = written.count > 1 && written.hasPrefix("/") && written.hasSuffix("/")
        let source: String
        if isExpression {
            source = written
        } else if SettingsReader.looksLikeExpression(written) {
            source = "/\(written.trimmingPrefix("/"))/"
            doubts.append(
                "The file has \(written.excerpt()) without slashes, which Docker Hub took for an exact name; it is "
                    + "written as the expression that it looks like.")
        } else {
            return written
        }
        doubts += Self.doubts(about: source)
        return source
    }

    /// Where Slipway's dialect (Swift's `Regex`) and Docker Hub's (never said; Python's by its messages) part.
    private static func doubts(about expression: String) -> [String] {
        var doubts: [String] = []
        if expression.contains(/\\[bB]/) {
            doubts.append(
                "\\b is the end of a word as Unicode has it: there is none between the 1 and the . of v1.2. Write what may "
                    + "follow instead, as in ([^0-9]|$).")
        }
        if expression.contains(/\[[^\]]*(?:&&|--|~~)/) {
            doubts.append("&&, -- and ~~ between brackets join sets in Slipway; on Docker Hub they were characters.")
        }
        if expression.contains(/\[\[:|\(\?|\\[dDsSwW]/) {
            doubts.append(
                "\\d, [[:digit:]], lookahead and flags didn't work for many on Docker Hub; here they do, so the rule may "
                    + "match more than it did.")
        }
        return doubts
    }

    /// What the settings' reader has against the rule.
    private mutating func judge() {
        let page = ["repositories:", "  a/b:", "    source: /b", "    image: r.test/b", "    rules:"]
        let text = (page + lines.map { "      \($0)" }).joined(separator: "\n")
        do throws(SettingsErrors) {
            doubts += try SettingsFile.parse(text: text, file: "", environment: [:]).warnings.map(\.message)
        } catch {
            errors += error.findings.map(\.message)
        }
    }
}
