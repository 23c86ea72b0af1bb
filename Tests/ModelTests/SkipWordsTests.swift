import Model
import Testing

@Suite struct SkipWordsTests {
    @Test(arguments: [
        // Each of them, anywhere, in any case.
        ("[skip build]", "[skip build]"), ("Fix a typo [build skip]", "[build skip]"),
        ("Fix\n\nA long story.\n[skip ci]\n", "[skip ci]"), ("release 1.2[CI Skip]!", "[ci skip]"),
        ("Fix [SKIP CI]\r\n", "[skip ci]"),
        // Only as written.
        ("skip ci", nil), ("[skip  ci]", nil), ("[skipci]", nil), ("[skip ci", nil), ("[skip cid]", nil), ("", nil),
        ("[skip\nci]", nil), ("[no ci]", nil),
    ])
    func found(_ message: String, _ words: String?) {
        #expect(SkipWords.found(in: message) == words)
    }
}
