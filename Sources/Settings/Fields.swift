import Model

/// The keys of one mapping, checked against those that it can have.
struct Fields {
    /// Where the mapping stands, for what is said of it as a whole.
    let position: Position
    /// `a rule`, as sentences call it.
    let what: String
    private let entries: [String: Node.Entry]
    /// Keys that an unknown one was most likely meant to be.
    private let misspelt: Set<String>

    /// Reports unknown keys and keys without a value.
    ///
    /// - Parameters:
    ///   - position: nil is the mapping's own.
    ///   - blank: the keys that may be there without a value, which is then as if they weren't there.
    /// - Returns: nil where the node is no mapping, which is reported.
    init?(
        _ node: Node, _ what: String, keys: [String], blank: Set<String> = [], at position: Position? = nil,
        _ report: Report
    ) {
        guard case .mapping(let list) = node.content else {
            report.error(node.position, "\(what) must be a mapping of \(Self.quoted(keys)), not \(node.kind)")
            return nil
        }
        self.position = position ?? node.position
        self.what = what
        var entries: [String: Node.Entry] = [:]
        var misspelt: Set<String> = []
        for entry in list {
            guard keys.contains(entry.key) else {
                let near = Nearest.word(to: entry.key, in: keys)
                if let near { misspelt.insert(near) }
                let hint = near.map { "nearest is \"\($0)\"" } ?? "valid are \(Self.quoted(keys))"
                report.error(entry.position, "unknown key \"\(entry.key.excerpt())\" in \(what); \(hint)")
                continue
            }
            if entry.value.isNull {
                if blank.contains(entry.key) { continue }
                report.error(entry.position, "\"\(entry.key)\" has no value; give it one or leave the key out")
                misspelt.insert(entry.key)
                continue
            }
            entries[entry.key] = entry
        }
        self.entries = entries
        self.misspelt = misspelt
    }

    subscript(key: String) -> Node? { entries[key]?.value }

    /// Where the key itself stands, if it does.
    func position(of key: String) -> Position? { entries[key]?.position }

    /// Reports that a key is missing, unless it was there in some way that has been reported.
    func required(_ key: String, of whose: String? = nil, _ report: Report) -> Node? {
        if let node = self[key] { return node }
        if !misspelt.contains(key) { report.error(position, "\(whose ?? what) needs \"\(key)\"") }
        return nil
    }

    /// Reports that neither key is there, unless one was in some way that has been reported.
    func requireEither(_ a: String, _ b: String, _ report: Report) {
        guard self[a] == nil, self[b] == nil, misspelt.isDisjoint(with: [a, b]) else { return }
        report.error(position, "\(what) needs \"\(a)\" or \"\(b)\"")
    }

    static func quoted(_ words: [String]) -> String {
        words.map { "\"\($0)\"" }.joined(separator: ", ")
    }
}
