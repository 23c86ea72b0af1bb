import Foundation

/// The last lines of a builder's output, for the message of a failure.
struct OutputTail {
    private static let limit = 32 << 10
    private var bytes = Data()

    mutating func append(_ data: Data) {
        bytes += data
        // Cut now and then, not for each piece.
        if bytes.count > 2 * Self.limit { bytes = Data(bytes.suffix(Self.limit)) }
    }

    /// Without colours and empty lines; of a line that was written over, what stood there last.
    var lines: [String] {
        String(decoding: bytes.suffix(Self.limit), as: UTF8.self)
            .replacing(#/\u{1B}\[[0-?]*[ -\/]*[@-~]/#, with: "")
            .split(whereSeparator: { $0 == "\n" || $0 == "\r\n" })
            .compactMap { line in line.split(separator: "\r").last.map(String.init) }
            .filter { !$0.allSatisfy(\.isWhitespace) }
    }
}
