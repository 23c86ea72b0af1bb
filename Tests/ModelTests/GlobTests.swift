import Foundation
import Model
import Testing

@Suite struct GlobTests {
    @Test(arguments: [
        // A path as it is, whole and from the root.
        ("Dockerfile", "Dockerfile", true), ("Dockerfile", "dockerfile", false),
        ("Dockerfile", "src/Dockerfile", false),
        ("Dockerfile", "Dockerfile.dev", false), ("src/main.c", "src/main.c", true), ("src", "src/main.c", false),
        // The root's slash.
        ("/Dockerfile", "Dockerfile", true), ("/src/**", "src/a", true), ("/**", "a/b", true),
        // A star stays in a name.
        ("*.md", "README.md", true), ("*.md", ".md", true), ("*.md", "docs/README.md", false),
        ("*.md", "README.mdx", false),
        ("src/*", "src/a", true), ("src/*", "src/a/b", false), ("src/*/b", "src/a/b", true),
        ("src/*/b", "src/b", false),
        ("*", "a", true), ("*", ".hidden", true), ("*", "a/b", false), ("a*c*e", "abcde", true),
        ("a*c*e", "abcd", false),
        ("*a*", "bab", true), ("a*a", "a", false), ("a*a", "aa", true),
        // So does a question mark, which is one character.
        ("?.c", "a.c", true), ("?.c", "ab.c", false), ("?.c", ".c", false), ("a?b", "a/b", false), ("?.c", "é.c", true),
        ("??", "é", false), ("日?.md", "日本.md", true),
        // Two stars cross folders.
        ("**", "a", true), ("**", "a/b/c", true), ("src/**", "src/a", true), ("src/**", "src/a/b.c", true),
        ("src/**", "src", false), ("src/**", "srcs/a", false), ("src/**", "a/src/b", false), ("**.md", "a/b.md", true),
        ("a**c", "a/b/c", true), ("a**c", "ac", true), ("a***c", "a/b/c", true), ("src/**.c", "src/.c", true),
        // With the slash they are any folders, or none.
        ("**/x", "x", true), ("**/x", "a/x", true), ("**/x", "a/b/x", true), ("**/x", "ax", false),
        ("**/x", "a/bx", false),
        ("**/x", "x/a", false), ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b", true), ("a/**/b", "ab", false),
        ("a/**/b", "a/xb", false), ("**/docs/**", "docs/a", true), ("**/docs/**", "x/docs/a/b", true),
        ("**/docs/**", "xdocs/a", false), ("**/**/x", "x", true), ("**/**/x", "a/x", true),
        ("**/*.md", "README.md", true),
        ("**/*.md", "a/b.md/c", false), ("a**/b", "a/b", true), ("a**/b", "ax/y/b", true), ("a**/b", "ab", false),
        // A folder.
        ("docs/", "docs/a", true), ("docs/", "docs/a/b", true), ("docs/", "docs", false), ("docs/", "a/docs/b", false),
        ("**/", "a/b", true), ("**/docs/", "a/docs/b", true), ("do*/", "docs/a/b", true),
        // Nothing else is special.
        ("[ab].c", "a.c", false), ("[ab].c", "[ab].c", true), ("{a,b}", "a", false), ("!a", "b", false),
        ("a.c", "abc", false),
        ("a\\*", "a*", false), ("a+", "aa", false), (" a", "a", false),
    ])
    func matches(_ pattern: String, _ path: String, _ expected: Bool) throws {
        #expect(try Glob(pattern).matches(path) == expected)
    }

    /// Tried one star after the other, this would never end.
    @Test(.timeLimit(.minutes(6)), arguments: ["*a", "**a", "**/*a", "?*a"])
    func aHostilePatternTakesNoLonger(piece: String) throws {
        let glob = try Glob(String(repeating: piece, count: 64) + "b")
        let path = String(repeating: "a", count: 4096)
        #expect(!glob.matches(path))
    }

    @Test(arguments: ["", "/"])
    func refused(_ pattern: String) {
        #expect(throws: InvalidText.self) { try Glob(pattern) }
    }

    @Test func aPatternIsTheSameAfterItWasStored() throws {
        let glob = try Glob("/src/**/")
        let stored = try JSONEncoder().encode(["g": glob])
        #expect(String(decoding: stored, as: UTF8.self).contains("src"))
        #expect(try JSONDecoder().decode([String: Glob].self, from: stored) == ["g": glob])
    }
}
