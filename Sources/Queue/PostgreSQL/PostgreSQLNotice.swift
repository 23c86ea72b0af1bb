import Model

/// What one process tells the others that use the database ("NOTIFY"): `<sender>:p,12,15,s15`, `p` for pending builds and
/// `s` for one whose end is asked for.
enum PostgreSQLNotice {
    static let channel = "slipway"
    /// A notice holds less than 8000 bytes.
    private static let topicsPerNotice = 300

    static func texts(_ topics: [ChangeTopic], from sender: String) -> [String] {
        var words: [String] = []
        for topic in Set(topics) {
            switch topic {
            case .pending: words.append("p")
            case .build(let id): words.append("\(id)")
            case .stop(let id): words.append("s\(id)")
            }
        }
        words.sort()
        return stride(from: 0, to: words.count, by: topicsPerNotice).map { start in
            "\(sender):\(words[start..<min(start + topicsPerNotice, words.count)].joined(separator: ","))"
        }
    }

    /// None for what `sender` told itself, and of what is no notice.
    static func topics(of text: String, except sender: String) -> [ChangeTopic] {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[0] != sender else { return [] }
        return parts[1].split(separator: ",").compactMap { word in
            if word == "p" { return .pending }
            return word.hasPrefix("s")
                ? Build.ID(word.dropFirst()).map { .stop($0) } : Build.ID(word).map { .build($0) }
        }
    }
}
