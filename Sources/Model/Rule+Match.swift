import Foundation

extension Rule {
    /// What a rule makes of a push.
    package enum Match: Sendable, Equatable {
        /// The whole match and its groups.
        case matched([String])
        /// Why not, in words.
        case no(String)
    }

    /// Whether the rule is for this ref.
    ///
    /// - Parameter defaultBranch: the name of the repository's default branch; nil where it isn't known.
    package func match(_ ref: RefName, defaultBranch: String?) -> Match {
        switch source {
        case .defaultBranch:
            guard ref.kind == .branch else { return .no("it builds the default branch, not tag \"\(ref.name)\"") }
            guard let defaultBranch else { return .no("it builds the default branch, which isn't known") }
            return ref.name == defaultBranch
                ? .matched([ref.name]) : .no("it builds the default branch \"\(defaultBranch)\", not \"\(ref.name)\"")
        case .branch(let pattern):
            return match(ref, .branch, pattern)
        case .tag(let pattern):
            return match(ref, .tag, pattern)
        }
    }

    private func match(_ ref: RefName, _ kind: RefName.Kind, _ pattern: Pattern) -> Match {
        guard ref.kind == kind else {
            return .no("it builds \(kind == .branch ? "branches" : "tags"), not \(ref.kind.rawValue) \"\(ref.name)\"")
        }
        if let captures = pattern.captures(in: ref.name) { return .matched(captures) }
        return .no(
            pattern.isExpression
                ? "\(pattern) does not match \(kind.rawValue) \"\(ref.name)\""
                : "it builds \(kind.rawValue) \"\(pattern)\", not \"\(ref.name)\"")
    }

    /// The names that a build's image gets.
    package struct Names: Sendable, Equatable {
        package var commitTag: Tag
        package var tags: [Tag]
    }

    /// Fills in the templates for a ref that the rule matches. A name that comes out twice is given once.
    ///
    /// - Parameter acceptedAt: the moment that `{date}` is the UTC day of.
    /// - Throws: `InvalidText` where the ref holds no version that a word needs, or a name comes out empty.
    package func names(
        for ref: RefName, captures: [String], commit: CommitID, acceptedAt: Date
    ) throws(InvalidText) -> Names {
        let filling = Template.Filling(ref: ref, captures: captures, commit: commit, acceptedAt: acceptedAt)
        var tags: [Tag] = []
        for template in self.tags {
            let tag = try template.fill(filling)
            if !tags.contains(tag) { tags.append(tag) }
        }
        return Names(commitTag: try commitTag.fill(filling, whole: true), tags: tags)
    }

    /// The names for people as long as the commit isn't known: those that are made of it stay as the rule has them.
    package func tagsWithoutCommit(for ref: RefName, captures: [String], acceptedAt: Date) -> [String] {
        guard let unknown = try? CommitID(String(repeating: "0", count: 40)) else { return tags.map(\.text) }
        let filling = Template.Filling(ref: ref, captures: captures, commit: unknown, acceptedAt: acceptedAt)
        return tags.map { template in
            let namesCommit = template.words.contains { if case .sha = $0 { true } else { false } }
            let filled = namesCommit ? nil : try? template.fill(filling)
            return filled?.text ?? template.text
        }
    }
}

extension Template {
    /// What the words stand for.
    package struct Filling: Sendable {
        package let ref: RefName
        package let captures: [String]
        package let commit: CommitID
        package let acceptedAt: Date

        package init(ref: RefName, captures: [String], commit: CommitID, acceptedAt: Date) {
            self.ref = ref
            self.captures = captures
            self.commit = commit
            self.acceptedAt = acceptedAt
        }
    }

    /// - Parameter whole: whether a result too long for a tag is an error, as it is where the cut could take away what
    ///   tells two images apart.
    package func fill(_ filling: Filling, whole: Bool = false) throws(InvalidText) -> Tag {
        var result = ""
        for part in parts {
            switch part {
            case .literal(let text): result += text
            case .word(let word, let written): result += try fill(word, written, filling)
            }
        }
        if whole && result.count > 128 {
            throw InvalidText(
                "\"\(text)\" comes out longer than 128 characters for \(filling.ref.kind.rawValue) \"\(filling.ref.name.excerpt())\""
            )
        }
        guard let tag = Tag(nearest: result) else {
            throw InvalidText("\"\(text)\" comes out empty for \(filling.ref.kind.rawValue) \"\(filling.ref.name)\"")
        }
        return tag
    }

    private func fill(_ word: Word, _ written: String, _ filling: Filling) throws(InvalidText) -> String {
        let ref = filling.ref
        func needed(_ value: String?, _ what: String) throws(InvalidText) -> String {
            guard let value else { throw InvalidText("{\(written)} needs \(what), and \"\(ref.name)\" has none") }
            return value
        }
        switch word {
        case .sourceref: return ref.name
        case .branch: return try needed(ref.branch, "a branch")
        case .tag: return try needed(ref.tag, "a tag")
        case .version: return try needed(Version(tag: ref.name)?.text, "a version")
        case .major: return try needed(Version(tag: ref.name)?.major, "a version")
        case .minor: return try needed(Version(tag: ref.name)?.minor, "a version with a minor part")
        case .patch: return try needed(Version(tag: ref.name)?.patch, "a version with a patch part")
        case .date: return Self.day(filling.acceptedAt)
        case .sha(let digits): return filling.commit.prefix(digits ?? 64)
        case .group(let n): return try needed(n < filling.captures.count ? filling.captures[n] : nil, "group \(n)")
        }
    }

    /// `20261121`, UTC.
    private static func day(_ date: Date) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = calendar.dateComponents([.year, .month, .day], from: date)
        return [(parts.year ?? 0, 4), (parts.month ?? 0, 2), (parts.day ?? 0, 2)].map { value, width in
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }.joined()
    }
}
