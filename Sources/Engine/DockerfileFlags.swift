import Foundation

/// An instruction taken apart: its flags, and the words after them.
struct DockerfileFlags {
    private let flags: [(name: String, value: String)]
    /// After the flags.
    private let rest: Substring

    /// - Throws: a doubt where a flag is not among those that are allowed, or is quoted or escaped.
    init(_ instruction: Dockerfile.Instruction, allowed: Set<String>) throws(DockerfileVariables.Doubt) {
        var rest = instruction.text.drop { $0 != " " }.dropFirst()
        var flags: [(String, String)] = []
        while rest.hasPrefix("--") {
            let flag = rest.prefix { $0 != " " }
            rest = rest.dropFirst(flag.count + 1)
            let parts = flag.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard allowed.contains(name) else {
                throw DockerfileVariables.Doubt("--\(name.excerpt()) is not known here")
            }
            guard !flag.contains(where: { "\"'\\`".contains($0) }) else {
                throw DockerfileVariables.Doubt("--\(name) is quoted or escaped")
            }
            flags.append((name, parts.count == 2 ? String(parts[1]) : ""))
        }
        self.flags = flags
        self.rest = rest
    }

    func values(_ name: String) -> [String] {
        flags.filter { $0.name == name }.map(\.value)
    }

    var words: [String] { rest.split(separator: " ").map(String.init) }

    /// Of COPY and ADD: all words but the last, which may also be written as a JSON array; without quotes and escapes.
    var sources: [String] {
        let list = rest.hasPrefix("[") ? try? JSONDecoder().decode([String].self, from: Data(rest.utf8)) : nil
        return (list ?? words).dropLast().map { $0.filter { !"\"'\\`".contains($0) } }
    }

    /// Whether a builder fetches it: over HTTP or with Git.
    static func isAddress(_ source: String) -> Bool {
        source.contains("://") || source.hasPrefix("github.com/")
            || source.prefixMatch(of: /[A-Za-z0-9_.+-]+@[^\/]*:/) != nil
    }

    /// Whether a variable could make an address of it: what stands before has nothing that only a path has.
    static func mayBeAddress(_ source: String) -> Bool {
        guard let dollar = source.firstIndex(of: "$") else { return false }
        let before = source[..<dollar]
        return before.first { !($0.isASCII && ($0.isLetter || $0.isNumber) || "_.+-".contains($0)) } != "/"
    }

    /// The words of an ARG, whose quotes may hold spaces.
    static func quotedWords(_ text: Substring) throws(DockerfileVariables.Doubt) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        for character in text {
            if character == " " && quote == nil {
                if !word.isEmpty { words.append(word) }
                word = ""
                continue
            }
            if character == quote {
                quote = nil
            } else if quote == nil && (character == "\"" || character == "'") {
                quote = character
            }
            word.append(character)
        }
        if quote != nil { throw DockerfileVariables.Doubt("a quote has no end") }
        return word.isEmpty ? words : words + [word]
    }
}
