import Foundation
import Synchronization

/// What the service says to its operator: one line an event, on stderr, with the fields behind the sentence.
///
/// Whoever calls keeps secrets out; there is nothing here that could find them.
package struct Log: Sendable {
    package enum Level: Int, Sendable, Comparable {
        case debug, info, warning, error

        package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    private let threshold: Level
    private let sink: @Sendable (String) -> Void

    package init(threshold: Level = .info, sink: @escaping @Sendable (String) -> Void = Log.standardError) {
        self.threshold = threshold
        self.sink = sink
    }

    package func debug(_ sentence: String, _ fields: KeyValuePairs<String, Any> = [:]) {
        write(.debug, sentence, fields)
    }
    package func info(_ sentence: String, _ fields: KeyValuePairs<String, Any> = [:]) { write(.info, sentence, fields) }
    package func warning(_ sentence: String, _ fields: KeyValuePairs<String, Any> = [:]) {
        write(.warning, sentence, fields)
    }
    package func error(_ sentence: String, _ fields: KeyValuePairs<String, Any> = [:]) {
        write(.error, sentence, fields)
    }

    private func write(_ level: Level, _ sentence: String, _ fields: KeyValuePairs<String, Any>) {
        guard level >= threshold else { return }
        let tail = fields.map { " \($0.key)=\(Self.quoted("\($0.value)"))" }.joined()
        sink("\(Timestamp.text(Date())) \(level) \(sentence)\(tail)\n")
    }

    /// One value stays one word: what holds spaces, quotes or line ends is quoted and escaped.
    private static func quoted(_ value: String) -> String {
        if !value.isEmpty && value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") }) {
            return value
        }
        if !value.isEmpty && !value.contains(where: { $0.isWhitespace || $0 == "\"" || $0.isNewline }) { return value }
        return "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            + "\""
    }

    private static let lock = Mutex(())

    package static let standardError: @Sendable (String) -> Void = { line in
        lock.withLock { _ in FileHandle.standardError.write(Data(line.utf8)) }
    }
}
