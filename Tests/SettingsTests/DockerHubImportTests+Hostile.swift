import Foundation
import Model
import Settings
import Testing

/// Text from outside stays text.
extension DockerHubImportTests {
    static let hostile = [
        "'", "''", "\"", "a'b\"c", "\n", "a\nrules: []", "a\r\n      - branch: evil", "a\u{85}b", "a\u{2028}b", "a: b",
        "a #b",
        "#", "*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "- a", "? a", "{a", "a}", "[a]", "a,b", "~", "null", "yes",
        "1.10",
        "0x1f", "é", "日本", "👩‍💻", "e\u{301}", "\u{202e}evil", "\u{feff}a", "\u{0}", "a\u{0}b", "\u{1b}[31m", "\u{7f}",
        "\\", "\\n",
        "a\tb", " a ", "---", "...", "=", "<<", "\u{e000}", "\u{10ffff}", String(repeating: "a b", count: 2000),
    ]

    /// Whatever is in it, the file can be read, and only the text's own field has it.
    @Test(arguments: hostile)
    func textIsTextAndNothingElse(_ text: String) throws {
        for key in ["source_name", "tag", "dockerfile", "build_context", "source_type"] {
            var rule = ["source_name": "main", "dockerfile": "d", "build_context": "c", "tag": "t"]
            rule[key] = text
            let draft = try draft(source([rule, ["source_name": "good"]]))
            let repositories = try settings(draft).repositories
            #expect(repositories.map(\.name.text) == ["acme/shop"])
            #expect(repositories[0].rules.last?.source == .branch(try Pattern("good")))
            #expect(repositories[0].rules.count == draft.rules)
            let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
            if key == "build_context", !trimmed.isEmpty, !trimmed.hasPrefix("..") {
                #expect(repositories[0].rules[0].context == trimmed)
            }
        }
        for key in ["owner", "repository", "provider", "autotests", "channel"] {
            _ = try yaml(draft(source([["source_name": "good"]], [key: text])))
        }
        let draft = try draft(source([["source_name": "good"]], ["envvars": [["name": text], ["name": "B"]]]))
        #expect(try yaml(draft) == yaml(self.draft(source([["source_name": "good"]]))))
        if let refusal = refusal(try source([], ["image": text])) {
            #expect(refusal.contains("image"), "\(refusal)")
        }
    }

    /// The file without its comments and the line of the source, which can be missing.
    private func yaml(_ draft: DockerHubDraft) throws -> [Substring] {
        let lines = draft.yaml.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("#") }
        let allowed = [
            "registries:", "docker.io:", "username:", "password:", "repositories:", "acme/shop:", "source:",
            "image:", "webhook_secret:", "rules:", "- branch: good", "tags: [latest]",
        ]
        for line in lines {
            let text = line.drop { $0 == " " }
            #expect(allowed.contains { text.hasPrefix($0) }, "\(line)")
        }
        return lines
    }
}
