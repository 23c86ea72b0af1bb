import Foundation

/// Takes out of text from outside what could steer a reader's terminal (ECMA-48), piece by piece: every control sequence
/// but colours (`CSI … m`), and every control character but tabs and line ends.
///
/// A carriage return that would overwrite its line begins a new one, so that nothing is covered up. Bytes that are no
/// UTF-8 become U+FFFD: some terminals take them for C1 controls.
package struct ControlFilter: Sendable {
    private enum State {
        case text
        case escape
        /// Between `ESC` with intermediate bytes, or a single shift, and what it ends with.
        case designation
        case sequence
        /// A string for the terminal, such as a title (OSC) or a device's commands (DCS).
        case string
        /// `ESC` within one, which its end or the next sequence begins with.
        case stringEscape
    }

    private let keepsColours: Bool
    private var state = State.text
    /// Of a sequence, so far.
    private var parameters = ""
    /// How much of a string was taken away.
    private var swallowed = 0
    private var pendingReturn = false
    private var lineIsEmpty = true
    private var isColoured = false
    /// Of a character whose end is in the next piece.
    private var rest = Data()

    private static let longestSequence = 64
    /// One that never ends can't hide what comes after it; it ends with its line anyway.
    private static let longestString = 4096

    package init(keepsColours: Bool = true) {
        self.keepsColours = keepsColours
    }

    /// A whole text without its controls.
    package static func harmless(_ text: String, keepsColours: Bool = true) -> String {
        var filter = ControlFilter(keepsColours: keepsColours)
        return String(decoding: filter.take(Data(text.utf8)) + filter.end(), as: UTF8.self)
    }

    /// - Returns: what may be shown by now.
    package mutating func take(_ piece: Data) -> Data {
        let bytes = rest + piece
        let whole = bytes.count - Self.unfinished(bytes)
        rest = Data(bytes.dropFirst(whole))
        return filtered(String(decoding: bytes.prefix(whole), as: UTF8.self))
    }

    /// - Returns: what is left, and the end of a colour that the text left on.
    package mutating func end() -> Data {
        var last = filtered(String(decoding: rest, as: UTF8.self))
        if isColoured { last += Data("\u{1b}[0m".utf8) }
        self = ControlFilter(keepsColours: keepsColours)
        return last
    }

    /// How many bytes at the end are the beginning of a character.
    private static func unfinished(_ bytes: Data) -> Int {
        for (index, byte) in bytes.suffix(3).reversed().enumerated() where byte & 0xc0 != 0x80 {
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > index + 1 ? index + 1 : 0
        }
        return 0
    }

    private mutating func filtered(_ text: String) -> Data {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { take(scalar, &shown) }
        return Data(String(shown).utf8)
    }

    private mutating func take(_ scalar: Unicode.Scalar, _ shown: inout String.UnicodeScalarView) {
        switch (state, scalar.value) {
        case (.string, 0x07), (.string, 0x9c), (.stringEscape, 0x5c): state = .text
        case (.string, 0x1b): state = .stringEscape
        case (.string, 0x0a): inText(scalar, &shown)
        case (.string, _):
            swallowed += 1
            if swallowed > Self.longestString { state = .text }
        case (.escape, 0x5b): begin(.sequence)
        case (.escape, 0x5d), (.escape, 0x50), (.escape, 0x58), (.escape, 0x5e), (.escape, 0x5f), (.escape, 0x6b):
            begin(.string)
        case (.escape, 0x20...0x2f), (.escape, 0x4e...0x4f), (.designation, 0x20...0x2f): state = .designation
        case (.escape, 0x30...0x7e), (.designation, 0x30...0x7e): state = .text
        case (.stringEscape, _):
            state = .escape
            take(scalar, &shown)
        case (.sequence, 0x20...0x3f) where parameters.count < Self.longestSequence:
            parameters.unicodeScalars.append(scalar)
        case (.sequence, 0x40...0x7e):
            state = .text
            if scalar == "m" { colour(&shown) }
        default: inText(scalar, &shown)
        }
    }

    private mutating func begin(_ state: State) {
        self.state = state
        parameters = ""
        swallowed = 0
    }

    private mutating func inText(_ scalar: Unicode.Scalar, _ shown: inout String.UnicodeScalarView) {
        state = .text
        switch scalar.value {
        case 0x1b: state = .escape
        case 0x9b: begin(.sequence)
        case 0x90, 0x98, 0x9d, 0x9e, 0x9f: begin(.string)
        case 0x0d: pendingReturn = true
        case 0x0a, 0x0b, 0x0c, 0x85:
            pendingReturn = false
            lineIsEmpty = true
            shown.append("\n")
        case 0x00..<0x20 where scalar != "\t", 0x7f..<0xa0: break
        default:
            if pendingReturn && !lineIsEmpty { shown.append("\n") }
            pendingReturn = false
            lineIsEmpty = false
            shown.append(scalar)
        }
    }

    /// `CSI … m`; with other bytes than numbers it means something else (`CSI > … m` is a mode of the keyboard).
    private mutating func colour(_ shown: inout String.UnicodeScalarView) {
        guard keepsColours, parameters.utf8.allSatisfy({ (0x30...0x3b).contains($0) }) else { return }
        isColoured = !["", "0"].contains(parameters)
        shown.append(contentsOf: "\u{1b}[\(parameters)m".unicodeScalars)
    }
}
