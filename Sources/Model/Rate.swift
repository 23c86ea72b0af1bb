/// So many in a time, as `300/m`: a burst of all of them at once may come, and they grow back evenly.
package struct Rate: TextValue {
    package let text: String
    package let count: Int
    /// In seconds.
    package let period: Int

    private static let units = ["s": 1, "m": 60, "h": 3600]

    /// - Throws: `InvalidText` unless `text` is a number from 1 to 1,000,000, a slash, and `s`, `m` or `h`.
    package init(_ text: String) throws(InvalidText) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let count = Int(parts[0]), (1...1_000_000).contains(count),
            let period = Self.units[parts[1]]
        else { throw InvalidText("\"\(text.excerpt())\" is not a rate; 10/s, 300/m and 1000/h are") }
        self.text = text
        self.count = count
        self.period = period
    }
}
