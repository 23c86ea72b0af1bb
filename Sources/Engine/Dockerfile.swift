import Foundation

/// A Dockerfile as far as a failure needs it: where each instruction begins.
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

    let instructions: [Instruction]

    init(_ text: String) {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
        var instructions: [Instruction] = []
        var (stage, step) = (0, 0)
        let escape: Character = Self.escape(lines)
        var index = 0
        while index < lines.count {
            let first = index
            var parts: [String] = []
            var continues = true
            while continues && index < lines.count {
                let line = lines[index].trimmingCharacters(in: .whitespaces)
                index += 1
                // Comments and empty lines are left out, also within an instruction.
                if line.isEmpty || line.hasPrefix("#") {
                    continues = !parts.isEmpty
                    continue
                }
                continues = line.last == escape
                parts.append(continues ? String(line.dropLast()) : line)
            }
            guard !parts.isEmpty else { continue }
            let whole = Self.normalised(parts.joined(separator: " "))
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

    /// Directives stand before everything else.
    private static func escape(_ lines: [String]) -> Character {
        for line in lines {
            guard let match = line.wholeMatch(of: /\s*#\s*(\w+)\s*=\s*(\S+)\s*/) else { break }
            if match.1.lowercased() == "escape", match.2 == "`" { return "`" }
        }
        return "\\"
    }

    private static func hereDocuments(_ instruction: String) -> [String] {
        let command = instruction.prefix { $0 != " " }.uppercased()
        guard ["RUN", "COPY", "ADD"].contains(command) else { return [] }
        return instruction.matches(of: /<<-?(["']?)([A-Za-z_][A-Za-z0-9_]*)\1/).map { String($0.2) }
    }
}
