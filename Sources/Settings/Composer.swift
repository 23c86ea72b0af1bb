/// Makes the tree of a YAML document: one document, text as keys, no merge keys, no tags of its own.
struct Composer: ~Copyable {
    /// Settings need seven; more is a mistake, or an attack on whoever walks the tree.
    private static let maximumDepth = 32
    /// Aliases counted as often as they are used, so that few lines can't stand for a giant tree.
    private static let maximumNodes = 100_000

    private let events: Events
    private let report: Report
    private var anchors: [String: (node: Node, size: Int)] = [:]
    private var nodes = 0

    /// - Returns: nil for a file without content.
    /// - Throws: `YAMLFault` where no tree can be made; keys that are there twice are reported, and the first holds.
    static func tree(of bytes: [UInt8], _ report: Report) throws(YAMLFault) -> Node? {
        try bytes.withUnsafeBufferPointer { (buffer) throws(YAMLFault) in
            var composer = Composer(events: Events(buffer), report: report)
            return try composer.document()
        }
    }

    private init(events: consuming Events, report: Report) {
        self.events = events
        self.report = report
    }

    private mutating func document() throws(YAMLFault) -> Node? {
        guard case .documentStart = try events.next().kind else { return nil }
        guard let root = try node(try events.next(), depth: 1) else { return nil }
        // The document's end.
        _ = try events.next()
        let after = try events.next()
        if case .streamEnd = after.kind { return root }
        throw YAMLFault(position: after.position, message: "a second document begins here; settings are one document")
    }

    /// - Returns: nil where the event ends a list, mapping or document.
    private mutating func node(_ event: Event, depth: Int) throws(YAMLFault) -> Node? {
        guard depth <= Self.maximumDepth else {
            throw YAMLFault(position: event.position, message: "this is nested deeper than \(Self.maximumDepth) levels")
        }
        if let tag = event.tag, tag != "!", !tag.hasPrefix("tag:yaml.org,2002:") {
            throw YAMLFault(
                position: event.position,
                message: "the tag \(tag.excerpt()) is not known; secrets are written {env: NAME} or {file: PATH}")
        }
        let first = nodes
        try count(1, at: event.position)
        let content: Node.Content
        switch event.kind {
        case .documentStart, .end, .streamEnd:
            return nil
        case .alias(let name):
            guard let (node, size) = anchors[name] else {
                throw YAMLFault(
                    position: event.position, message: "there is no anchor &\(name.excerpt()) before this alias")
            }
            try count(size, at: event.position)
            return node
        case .text(let text, let plain):
            content = .text(text, plain: plain)
        case .listStart:
            content = .list(try list(depth: depth))
        case .mappingStart:
            content = .mapping(try mapping(depth: depth))
        }
        let node = Node(position: event.position, content: content)
        if let anchor = event.anchor { anchors[anchor] = (node, nodes - first) }
        return node
    }

    private mutating func list(depth: Int) throws(YAMLFault) -> [Node] {
        var items: [Node] = []
        while let item = try node(try events.next(), depth: depth + 1) { items.append(item) }
        return items
    }

    private mutating func mapping(depth: Int) throws(YAMLFault) -> [Node.Entry] {
        var entries: [Node.Entry] = []
        var lines: [String: Int] = [:]
        while let key = try node(try events.next(), depth: depth + 1) {
            guard case .text(let name, _) = key.content else {
                throw YAMLFault(position: key.position, message: "a key must be text, not \(key.kind)")
            }
            guard let value = try node(try events.next(), depth: depth + 1) else { break }
            if let line = lines[name] {
                report.error(key.position, "\"\(name.excerpt())\" is here a second time; the first is in line \(line)")
            } else {
                lines[name] = key.position.line
                entries.append(Node.Entry(key: name, position: key.position, value: value))
            }
        }
        return entries
    }

    private mutating func count(_ more: Int, at position: Position) throws(YAMLFault) {
        nodes += more
        guard nodes <= Self.maximumNodes else {
            throw YAMLFault(position: position, message: "the document has more than \(Self.maximumNodes) parts")
        }
    }
}
