import Foundation

/// A Dockerfile's directives and instructions, and where each begins.
///
/// Grammar: docs.docker.com/reference/dockerfile: comments, line continuation, the `escape` directive, here-documents.
struct Dockerfile {
    struct Instruction: Equatable {
        /// From 1.
        let line: Int
        /// On one line, runs of white space as one space.
        let text: String
        /// The build stage, from 1; 0 before the first FROM.
        let stage: Int
        /// The place within its stage, from 1.
        let step: Int
    }

    /// `# name=value` before everything else.
    struct Directive: Equatable {
        let line: Int
        /// In lower case.
        let name: String
        let value: String
    }

    let directives: [Directive]
    let instructions: [Instruction]

    init(_ text: String) {
        let lines = Self.lines(text)
        directives = Self.directives(lines)
        let escape = Self.escape(directives)
        var instructions: [Instruction] = []
        var (stage, step) = (0, 0)
        var index = 0
        while index < lines.count {
            let first = index
            // Lines are joined as they stand: "FR\" and "OM a" are "FROM a".
            var joined: String?
            var continues = true
            while continues && index < lines.count {
                let line = lines[index]
                index += 1
                // Comments and empty lines are left out, also within an instruction.
                if Self.isLeftOut(line) {
                    continues = joined != nil
                    continue
                }
                let part = Self.continued(line, escape)
                continues = part != nil
                joined = (joined ?? "") + (part ?? line)
            }
            guard let joined else { continue }
            let whole = Self.normalised(joined)
            for word in Self.hereDocuments(whole) {
                while index < lines.count && lines[index].trimmingCharacters(in: .whitespaces) != word { index += 1 }
                index += 1
            }
            if whole.uppercased().hasPrefix("FROM ") { (stage, step) = (stage + 1, 0) }
            step += 1
            instructions.append(Instruction(line: first + 1, text: whole, stage: stage, step: step))
        }
        self.instructions = instructions
    }

    /// The one instruction of that text, as builders print it; nil where there are several or none.
    func only(_ text: String) -> Instruction? {
        let wanted = Self.normalised(text)
        let matching = instructions.filter { $0.text == wanted }
        return matching.count == 1 ? matching.first : nil
    }

    static func normalised(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// Without the mark of the byte order, that builders drop too.
    static func lines(_ text: String) -> [String] {
        let marked = text.unicodeScalars.first == "\u{FEFF}"
        return String(text.unicodeScalars.dropFirst(marked ? 1 : 0))
            .split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(String.init)
    }

    static func directives(_ lines: some Sequence<String>) -> [Directive] {
        var directives: [Directive] = []
        for line in lines {
            guard let match = line.wholeMatch(of: /\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(\S.*?)\s*/) else { break }
            directives.append(
                Directive(line: directives.count + 1, name: match.1.lowercased(), value: String(match.2)))
        }
        return directives
    }

    /// What continues lines and takes its meaning from a character.
    static func escape(_ directives: [Directive]) -> Character {
        directives.contains { $0.name == "escape" && $0.value == "`" } ? "`" : "\\"
    }

    static func isLeftOut(_ line: String) -> Bool {
        line.first { !$0.isWhitespace }.map { $0 == "#" } ?? true
    }

    /// A line without the character that continues it; nil where the instruction ends with it.
    static func continued(_ line: String, _ escape: Character) -> String? {
        guard let last = line.lastIndex(where: { !$0.isWhitespace }), line[last] == escape else { return nil }
        return String(line[..<last])
    }

    private static func hereDocuments(_ instruction: String) -> [String] {
        let command = instruction.prefix { $0 != " " }.uppercased()
        guard ["RUN", "COPY", "ADD"].contains(command) else { return [] }
        return instruction.matches(of: /<<-?(["']?)([A-Za-z_][A-Za-z0-9_]*)\1/).map { String($0.2) }
    }
}
