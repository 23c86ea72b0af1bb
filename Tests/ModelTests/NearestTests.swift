import Model
import Testing

@Suite struct NearestTests {
    @Test(arguments: [
        // One slip: a swap, a letter too many, too few, another one, another case.
        ("brnach", "branch"), ("branchh", "branch"), ("brach", "branch"), ("brunch", "branch"), ("Branch", "branch"),
        // More slips in longer words.
        ("docrfile", "dockerfile"),
        // The beginning of a word.
        ("dock", "dockerfile"), ("Time", "timeout"),
        // Nothing near.
        ("colour", nil), ("", nil), ("x", nil),
    ])
    func nearest(_ text: String, _ word: String?) {
        #expect(Nearest.word(to: text, in: ["branch", "tag", "tags", "dockerfile", "timeout"]) == word)
    }

    @Test func nothingIsNearWhereThereAreNoWords() {
        #expect(Nearest.word(to: "a", in: []) == nil)
    }
}
