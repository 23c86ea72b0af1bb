/// Text from outside that is not what it was taken for; the description is a sentence for people.
package struct InvalidText: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// A value that is written as one piece of text: read by a throwing init at the edge, and the same text ever after.
package protocol TextValue: Sendable, Hashable, Codable, CustomStringConvertible {
    var text: String { get }
    /// - Throws: `InvalidText` where the text is not of this kind.
    init(_ text: String) throws(InvalidText)
}

extension TextValue {
    package var description: String { text }

    package init(from decoder: any Decoder) throws {
        self = try Self(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
