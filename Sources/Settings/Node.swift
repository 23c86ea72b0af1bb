/// A piece of a YAML document, and where it begins.
struct Node: Sendable {
    enum Content: Sendable {
        /// `plain` is without quotes: only such text can be a null.
        case text(String, plain: Bool)
        case list([Node])
        case mapping([Entry])
    }

    struct Entry: Sendable {
        let key: String
        let position: Position
        let value: Node
    }

    let position: Position
    let content: Content

    /// Nothing is written there, or `~` or `null` is (YAML 1.1, "null").
    var isNull: Bool {
        guard case .text(let text, plain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What it is, in words.
    var kind: String {
        switch content {
        case .text: isNull ? "nothing" : "text"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}
