import Model

/// Where a rule's context and Dockerfile are by their texts alone, before there is a tree with symbolic links.
enum LexicalPaths: Hashable {
    /// Parts from the repository's root.
    case inside(context: [String], dockerfile: [String])
    case contextLeaves, dockerfileLeaves

    /// Docker Hub's meaning: the Dockerfile is relative to the context, and without a context to the root.
    static func of(_ rule: Rule) -> LexicalPaths {
        let written = rule.dockerfile ?? ""
        guard let context = walk(rule.context ?? "", from: []) else { return .contextLeaves }
        guard var dockerfile = walk(written, from: context) else { return .dockerfileLeaves }
        if dockerfile == context { dockerfile.append("Dockerfile") }
        return .inside(context: rule.context == nil ? dockerfile.dropLast() : context, dockerfile: dockerfile)
    }

    /// - Returns: nil where `..` goes above the root.
    private static func walk(_ path: String, from start: [String]) -> [String]? {
        var parts = start
        for part in path.split(separator: "/") where part != "." {
            if part == ".." {
                guard parts.popLast() != nil else { return nil }
            } else {
                parts.append(String(part))
            }
        }
        return parts
    }
}
