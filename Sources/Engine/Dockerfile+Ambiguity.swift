import Model

extension Dockerfile {
    static let keywords: Set = [
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    ]

    /// What builders and their versions split into other instructions than `Dockerfile` does, a sentence each.
    static func ambiguities(_ text: String) -> [String] {
        let lines = lines(text)
        return strangeCharacters(lines) + strangeDirectives(lines) + strangeContinuations(lines)
    }

    /// Some take them for white space or the end of a line, some don't.
    private static func strangeCharacters(_ lines: [String]) -> [String] {
        let number = lines.firstIndex { line in
            line.unicodeScalars.contains { scalar in
                guard scalar != " ", scalar != "\t" else { return false }
                return scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
            }
        }
        return number.map { ["Dockerfile line \($0 + 1): a character is neither visible nor a plain space"] } ?? []
    }

    private static func strangeDirectives(_ lines: [String]) -> [String] {
        let isShellScript = lines.first?.hasPrefix("#!") == true
        let directives = directives(lines.dropFirst(isShellScript ? 1 : 0))
        var seen: Set<String> = []
        for directive in directives {
            let line = directive.line + (isShellScript ? 1 : 0)
            let counts = directive.name == "syntax" || directive.name == "escape" && directive.value != "\\"
            // Older ones go on after a directive that they don't know; buildah knows only `escape`.
            let isFirst = directive.name == "escape" ? line == 1 : seen.isSubset(of: ["syntax", "escape", "check"])
            let isPlain = isFirst && !isShellScript && lines[line - 1].hasPrefix("#")
            let isNew = seen.insert(directive.name).inserted
            if counts && !(isPlain && isNew) {
                return ["Dockerfile line \(line): not all builders would follow this # \(directive.name)="]
            }
        }
        return []
    }

    private static func strangeContinuations(_ lines: [String]) -> [String] {
        let escape = escape(directives(lines))
        var continues = false
        var hasIndentedComment = false
        for (index, line) in lines.enumerated() {
            if isLeftOut(line) {
                // Not a comment to older ones, which end the instruction there.
                if continues && line.first?.isWhitespace == true && line.contains("#") { hasIndentedComment = true }
                continue
            }
            let first = normalised(line).prefix { $0 != " " }.uppercased()
            if hasIndentedComment && keywords.contains(first) {
                return ["Dockerfile line \(index + 1): after an indented comment, \(first) may begin an instruction"]
            }
            let part = continued(line, escape)
            if part?.last == escape {
                return ["Dockerfile line \(index + 1): not all builders continue it after \(escape)\(escape)"]
            }
            continues = part != nil
            if !continues { hasIndentedComment = false }
        }
        return []
    }
}
