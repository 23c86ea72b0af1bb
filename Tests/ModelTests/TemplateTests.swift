import Foundation
import Model
import Testing

@Suite struct TemplateTests {
    static let commit = "0123456789abcdef0123456789abcdef01234567"

    private func fill(_ template: String, _ kind: RefName.Kind, _ name: String, _ captures: [String] = []) throws
        -> String
    {
        let filling = Template.Filling(
            ref: try RefName(kind, name), captures: captures, commit: try CommitID(Self.commit),
            // 2026-11-21T23:59:59Z, which is the next day east of Greenwich.
            acceptedAt: Date(timeIntervalSince1970: 1_795_305_599))
        return try Template(template).fill(filling).text
    }

    @Test(arguments: [
        // Text without words.
        ("latest", "main", "latest"), ("1.4_x-y", "main", "1.4_x-y"),
        // The branch; what a tag can't hold becomes "-".
        ("{sourceref}", "main", "main"), ("{branch}", "feature/a+b", "feature-a-b"),
        ("pr-{branch}", "naïve", "pr-na-ve"),
        // A tag can't begin with "." or "-".
        ("{branch}", "-x", "_x"), ("{branch}", "ä", "_"),
        // The commit and the day.
        ("{sha}", "main", commit), ("sha-{sha12}", "main", "sha-0123456789ab"), ("{sha7}", "main", "0123456"),
        ("nightly-{date}", "main", "nightly-20261121"),
        // Past 128 characters it is cut.
        ("{branch}", String(repeating: "b", count: 200), String(repeating: "b", count: 128)),
    ])
    func ofABranch(_ template: String, _ branch: String, _ tag: String) throws {
        #expect(try fill(template, .branch, branch) == tag)
    }

    @Test(arguments: [
        ("{tag}", "v1.2", "v1.2"), ("{sourceref}", "v1.2", "v1.2"),
        // The version at the tag's end.
        ("{version}", "v1.4.2", "1.4.2"), ("{major}.{minor}", "v1.4.2", "1.4"), ("{patch}", "v1.4.2", "2"),
        ("{version}", "v1.4.2-rc.1", "1.4.2-rc.1"), ("{major}", "release-7", "7"),
    ])
    func ofATag(_ template: String, _ name: String, _ tag: String) throws {
        #expect(try fill(template, .tag, name) == tag)
    }

    @Test func groupsAreFilledIn() throws {
        #expect(try fill("{\\1}.{\\2}", .tag, "v1.4", ["v1.4", "1", "4"]) == "1.4")
    }

    @Test(arguments: [
        // What the ref doesn't have.
        ("{version}", "nightly", "{version} needs a version, and \"nightly\" has none"),
        ("{minor}", "v1", "{minor} needs a version with a minor part, and \"v1\" has none"),
        ("{patch}", "v1.4", "{patch} needs a version with a patch part, and \"v1.4\" has none"),
        ("{branch}", "v1", "{branch} needs a branch, and \"v1\" has none"),
        ("{\\1}", "v1", "{\\1} needs group 1, and \"v1\" has none"),
    ])
    func unknownToATag(_ template: String, _ name: String, _ message: String) {
        #expect(throws: InvalidText(message)) { try fill(template, .tag, name) }
    }

    @Test func anEmptyGroupAloneMakesNoTag() {
        #expect(throws: InvalidText("\"{\\1}\" comes out empty for tag \"v1\"")) {
            try fill("{\\1}", .tag, "v1", ["v1", ""])
        }
    }

    @Test(arguments: [
        ("", "a tag's name is empty"),
        ("a b", "\"a b\" can't be a tag: letters, digits, \"_\", \".\" and \"-\" can"),
        ("{sha", "\"{sha\" has a \"{\" without its \"}\""),
        // Unknown words, with the nearest.
        ("{brunch}", "\"{brunch}\" uses {brunch}, which is not known; nearest is {branch}"),
        ("{}", "\"{}\" uses {}, which is not known"),
        ("{/1}", "\"{/1}\" uses {/1}, which is not known; groups are written {\\1}"),
        ("{\\0}", "\"{\\0}\" uses {\\0}, which is not known"), ("{\\٣}", "\"{\\٣}\" uses {\\٣}, which is not known"),
    ])
    func refused(_ template: String, _ message: String) {
        #expect(throws: InvalidText(message)) { try Template(template) }
    }
}
