import CYAML

/// Text that is not YAML, or YAML that settings are not made of.
struct YAMLFault: Error {
    let position: Position
    let message: String
}

/// What libyaml's parser meets on its way through a document.
struct Event {
    enum Kind {
        case documentStart
        case alias(String)
        case text(String, plain: Bool)
        case listStart
        case mappingStart
        /// The end of a list, mapping or document.
        case end
        case streamEnd
    }

    let kind: Kind
    let position: Position
    var anchor: String?
    var tag: String?
}

/// libyaml's parser over bytes that outlive it.
struct Events: ~Copyable {
    // libyaml keeps pointers into the parser, so it can't live in a Swift value that may move.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeBufferPointer<UInt8>

    init(_ input: UnsafeBufferPointer<UInt8>) {
        self.input = input
        parser = .allocate(capacity: 1)
        // It fails only where memory has run out.
        precondition(yaml_parser_initialize(parser) == 1, "libyaml has no memory for a parser")
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// - Throws: `YAMLFault` with libyaml's words where the text is not YAML.
    func next() throws(YAMLFault) -> Event {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw fault() }
            defer { yaml_event_delete(&event) }
            if event.type != YAML_STREAM_START_EVENT { return Self.event(event) }
        }
    }

    private static func event(_ event: yaml_event_t) -> Event {
        let position = Position(event.start_mark)
        let data = event.data
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            return Event(kind: .documentStart, position: position)
        case YAML_ALIAS_EVENT:
            return Event(kind: .alias(string(data.alias.anchor) ?? ""), position: position)
        case YAML_SCALAR_EVENT:
            let bytes = UnsafeBufferPointer(start: data.scalar.value, count: data.scalar.length)
            return Event(
                kind: .text(
                    String(decoding: bytes, as: UTF8.self), plain: data.scalar.style == YAML_PLAIN_SCALAR_STYLE),
                position: position, anchor: string(data.scalar.anchor), tag: string(data.scalar.tag))
        case YAML_SEQUENCE_START_EVENT:
            return Event(
                kind: .listStart, position: position, anchor: string(data.sequence_start.anchor),
                tag: string(data.sequence_start.tag))
        case YAML_MAPPING_START_EVENT:
            return Event(
                kind: .mappingStart, position: position, anchor: string(data.mapping_start.anchor),
                tag: string(data.mapping_start.tag))
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT:
            return Event(kind: .streamEnd, position: position)
        default:
            return Event(kind: .end, position: position)
        }
    }

    private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        text.map { String(cString: $0) }
    }

    private func fault() -> YAMLFault {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "memory has run out"
        if parser.pointee.error == YAML_READER_ERROR {
            // A byte that is no text has an offset and no mark.
            let offset = min(parser.pointee.problem_offset, input.count)
            let before = String(decoding: input.prefix(offset), as: UTF8.self)
            let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
            let position = Position(line: lines.count, column: (lines.last?.unicodeScalars.count ?? 0) + 1)
            return YAMLFault(position: position, message: "this is not YAML: \(problem)")
        }
        let mark = parser.pointee.problem_mark
        let context = parser.pointee.context.map { String(cString: $0) + ", " } ?? ""
        let hint = character(at: mark) == "\t" ? "; indent with spaces, not tabs" : ""
        return YAMLFault(position: Position(mark), message: "this is not YAML: \(context)\(problem)\(hint)")
    }

    private func character(at mark: yaml_mark_t) -> UnicodeScalar? {
        let lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard mark.line < lines.count else { return nil }
        return String(decoding: lines[Int(mark.line)], as: UTF8.self).unicodeScalars.dropFirst(Int(mark.column)).first
    }
}

extension Position {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}
