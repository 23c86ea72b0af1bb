/// Which files a rule is about: `src/**`, `*.md`, `docs/`.
///
/// A path is matched whole, from the repository's root: `*` and `?` stand for characters other than `/`, `**` for any
/// characters, `**/` also for nothing. A pattern that ends in `/` is for everything in that folder; a leading `/` is the
/// root's and changes nothing.
package struct Glob: TextValue {
    package let text: String

    /// - Throws: `InvalidText` for an empty pattern.
    package init(_ text: String) throws(InvalidText) {
        guard !text.isEmpty, text != "/" else {
            throw InvalidText("\"\(text)\" is no pattern of paths: src/**, *.md and docs/ are")
        }
        self.text = text
    }
}
