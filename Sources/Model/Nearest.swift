/// Finds the word that somebody most likely meant.
package enum Nearest {
    /// The nearest of `words` by edits (insert, delete, replace, swap), or nil where none is near.
    package static func word(to text: String, in words: some Sequence<String>) -> String? {
        let typed = Array(text.lowercased())
        let best = words.map { ($0, distance(typed, Array($0.lowercased()))) }.min { $0.1 < $1.1 }
        if let best, best.1 <= max(1, typed.count / 3) { return best.0 }
        // The beginning of a word is far from it by edits.
        return typed.count > 3 ? words.first { $0.lowercased().hasPrefix(text.lowercased()) } : nil
    }

    /// Optimal string alignment distance.
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var rows = [Array(0...b.count)]
        for i in 1..<(a.count + 1) {
            var row = [i]
            for j in 1..<(b.count + 1) {
                var cost = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, rows[i - 2][j - 2] + 1) }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
