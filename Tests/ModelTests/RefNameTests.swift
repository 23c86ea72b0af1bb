import Model
import Testing

@Suite struct RefNameTests {
    @Test(arguments: [
        // Every kind of character that git-check-ref-format(1) allows.
        "main", "feature/x", "v1.4.2", "-x", "a\"b'c", "a$b&c;d|e(f)g<h>i", "!#%+,=]`{}",
        "naïve", "日本語", "e\u{301}", "\u{301}x", "a/\u{301}x", "🚀/x", "@", "a@b", "{a}", "a.lock.b", "HEAD",
    ])
    func legal(_ name: String) throws {
        let branch = try RefName("refs/heads/\(name)")
        #expect(branch.kind == .branch && branch.name == name && branch.branch == name && branch.tag == nil)
        let tag = try RefName(.tag, name)
        #expect(tag.text == "refs/tags/\(name)" && tag.tag == name && tag.branch == nil)
    }

    @Test(arguments: [
        // What git-check-ref-format(1) refuses, in its order.
        ".a", "a/.b", "a.lock", "a.lock/b", "a..b", "a\u{1}b", "a\u{7f}b", "a b", "a~b", "a^b", "a:b", "a?b", "a*b",
        "a[b",
        "/a", "a/", "a//b", "a.", "a@{b", "a\\b", "", "a\nb", "a\r\nb",
        // A combining mark doesn't hide them.
        "a \u{301}b", "a*\u{301}", "a..\u{301}b",
        // Longer than a file system takes.
        String(repeating: "a", count: 1025),
    ])
    func illegal(_ name: String) {
        #expect(throws: InvalidText.self) { try RefName(.branch, name) }
    }

    @Test(arguments: ["main", "refs/pull/1/head", "refs/heads", "refs/heads/", "REFS/heads/a", ""])
    func neitherBranchNorTag(_ text: String) {
        #expect(throws: InvalidText.self) { try RefName(text) }
    }
}
