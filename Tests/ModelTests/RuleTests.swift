import Foundation
import Model
import Testing

@Suite struct RuleTests {
    private func rule(_ source: Rule.Source, tags: [String] = ["latest"], commitTag: String = "sha-{sha12}") throws
        -> Rule
    {
        Rule(number: 1, source: source, tags: try tags.map { try Template($0) }, commitTag: try Template(commitTag))
    }

    @Test func theRightRefsMatch() throws {
        let main = try RefName(.branch, "main")
        let v1 = try RefName(.tag, "v1")
        let branch = try rule(.branch(Pattern("main")))
        let tag = try rule(.tag(Pattern("/^v(.)$/")))
        let fallback = try rule(.defaultBranch)
        #expect(branch.match(main, defaultBranch: nil) == .matched(["main"]))
        #expect(branch.match(v1, defaultBranch: nil) == .no("it builds branches, not tag \"v1\""))
        #expect(
            try branch.match(RefName(.branch, "dev"), defaultBranch: nil)
                == .no("it builds branch \"main\", not \"dev\""))
        #expect(tag.match(v1, defaultBranch: nil) == .matched(["v1", "1"]))
        #expect(tag.match(main, defaultBranch: nil) == .no("it builds tags, not branch \"main\""))
        #expect(try tag.match(RefName(.tag, "x"), defaultBranch: nil) == .no("/^v(.)$/ does not match tag \"x\""))
        #expect(fallback.match(main, defaultBranch: "main") == .matched(["main"]))
        #expect(fallback.match(main, defaultBranch: "dev") == .no("it builds the default branch \"dev\", not \"main\""))
        #expect(fallback.match(main, defaultBranch: nil) == .no("it builds the default branch, which isn't known"))
        #expect(fallback.match(v1, defaultBranch: "main") == .no("it builds the default branch, not tag \"v1\""))
    }

    @Test func namesThatComeOutTwiceAreGivenOnce() throws {
        let rule = try rule(.branch(Pattern("main")), tags: ["{branch}", "main", "latest"])
        let names = try rule.names(
            for: RefName(.branch, "main"), captures: ["main"], commit: CommitID(TemplateTests.commit),
            acceptedAt: Date())
        #expect(names.commitTag.text == "sha-0123456789ab")
        #expect(names.tags.map(\.text) == ["main", "latest"])
    }

    @Test func aCommitTagIsNeverCut() throws {
        let rule = try rule(.branch(Pattern("/.*/")), commitTag: "{branch}-{sha12}")
        let long = String(repeating: "b", count: 115)
        func commitTag(_ branch: String) throws -> Int {
            try rule.names(
                for: RefName(.branch, branch), captures: [branch], commit: CommitID(TemplateTests.commit),
                acceptedAt: Date()
            ).commitTag.text.count
        }
        #expect(try commitTag(long) == 128)
        #expect(throws: InvalidText.self) { try commitTag(long + "b") }
    }

    @Test func aRuleIsTheSameAfterItWasStored() throws {
        var rule = try rule(.tag(Pattern("/^v(.)$/")), tags: ["{\\1}"])
        rule.buildArgs = ["A": "b"]
        rule.context = "/"
        #expect(try JSONDecoder().decode(Rule.self, from: JSONEncoder().encode(rule)) == rule)
    }
}
