import Model
import Testing

@Suite struct PatternTests {
    @Test(arguments: [
        // Exact names, in which nothing is special.
        ("main", "main", ["main"]), ("main", "mainline", nil), ("a.b", "axb", nil),
        ("feature/x", "feature/x", ["feature/x"]),
        // Searched for anywhere, unless anchored.
        ("/main/", "mainline", ["main"]), ("/^main$/", "mainline", nil), ("/.*/", "anything", ["anything"]),
        // Groups, of which some take no part.
        ("/^v(\\d+)\\.(\\d+)$/", "v1.24", ["v1.24", "1", "24"]), ("/^(a)|(b)$/", "b", ["b", "", "b"]),
        ("/^v(?:1)(.2)?$/", "v1", ["v1", ""]),
        // Slashes inside need no escape.
        ("/^release/(.+)$/", "release/2", ["release/2", "2"]),
        // Case counts, and digits are ASCII's.
        ("/^Main$/", "main", nil), ("/^\\d$/", "٣", nil),
        // One scalar at a time.
        ("/^.$/", "é", ["é"]), ("/^.$/", "e\u{301}", nil),
    ])
    func captures(_ pattern: String, _ name: String, _ captures: [String]?) throws {
        #expect(try Pattern(pattern).captures(in: name) == captures)
    }

    @Test(arguments: [
        // Exact names have none; of an expression only the capturing ones count.
        ("main", 0), ("(a)", 0), ("/a/", 0), ("/(a)(b)/", 2), ("/(?:a)(b(c))/", 2), ("/(a)|(b)/", 2), ("/(?<x>a)/", 1),
    ])
    func groups(_ pattern: String, _ count: Int) throws {
        #expect(try Pattern(pattern).groups == count)
    }

    @Test(arguments: ["", "//", "/(/", "/[a/", "/a)(b/", "/*/"])
    func refused(_ pattern: String) {
        #expect(throws: InvalidText.self) { try Pattern(pattern) }
    }
}
