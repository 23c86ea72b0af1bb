import Testing

@testable import Model

/// The grammars that are read byte by byte, beside the expressions that they stand for.
@Suite struct GrammarTests {
    /// Texts of the characters that decide, in every order that the seed gives.
    private static func texts(_ count: Int, of alphabet: String, longest: Int) -> [String] {
        var state: UInt64 = 42
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let characters = Array(alphabet)
        return (0..<count).map { _ in
            String((0..<next(longest + 1)).map { _ in characters[next(characters.count)] })
        }
    }

    @Test func tagsAreThoseOfTheDistributionSpec() {
        let extremes = [128, 129].map { String(repeating: "a", count: $0) }
        for text in Self.texts(3000, of: "aZ0_.-/é\u{10}", longest: 5) + extremes {
            let wanted = text.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}/) != nil
            #expect(((try? Tag(text)) != nil) == wanted, "\(text.debugDescription)")
        }
    }

    @Test func pathsOfImagesAreThoseOfTheReferenceGrammar() {
        for text in Self.texts(5000, of: "aaz09A._-\u{10}", longest: 6) {
            let wanted = text.wholeMatch(of: /[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*/) != nil
            #expect(((try? ImageName("h.test/\(text)")) != nil) == wanted, "\(text.debugDescription)")
        }
    }

    @Test func hostsOfImagesAreNamesOrAddressesWithAPort() {
        let host =
            /(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(:[0-9]{1,5})?/
        for text in Self.texts(8000, of: "aF0.-::[]x\u{10}", longest: 8) where text.contains(".") || text.contains(":")
        {
            let wanted = text.wholeMatch(of: host) != nil
            #expect(((try? ImageName("\(text)/shop")) != nil) == wanted, "\(text.debugDescription)")
        }
    }

    @Test func digestsHaveTheirAlgorithmsLength() {
        func text(_ algorithm: String, _ digit: String, _ count: Int) -> String {
            algorithm + String(repeating: digit, count: count)
        }
        let good = [text("sha256:", "a", 64), text("sha512:", "0", 128)]
        let bad = [
            text("sha256:", "a", 63), text("sha256:", "a", 65), text("sha256:", "A", 64), text("sha256:", "g", 64),
            text("sha512:", "0", 64), text("sha384:", "0", 96), text("sha256", "a", 64), "", "sha256:",
        ]
        #expect(good.allSatisfy { (try? Digest($0)) != nil })
        for text in bad { #expect(throws: InvalidText.self) { try Digest(text) } }
    }
}
