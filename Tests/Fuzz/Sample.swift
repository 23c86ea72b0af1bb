import Foundation
import Queue
import TestSupport

/// A payload that a sender could send, and how it does.
struct Sample: Sendable {
    /// `github/push-1.json`.
    var name: String
    var path: String
    /// But those of the proof.
    var headers: [Header]
    var payload: Data
    /// The payload's; nil where it is no JSON.
    var tree: JSON?
    /// Whether the payload travels as a field of a form.
    var isForm = false
    var proof: Proof

    init(_ name: String, _ path: String, _ headers: [Header], _ payload: Data, isForm: Bool = false, _ proof: Proof) {
        self.name = name
        self.path = path
        self.headers =
            headers + [Header("Content-Type", isForm ? "application/x-www-form-urlencoded" : "application/json")]
        self.payload = payload
        tree = JSON(payload)
        self.isForm = isForm
        self.proof = proof
    }

    /// The kind of sender: `github`.
    var host: Substring { name.prefix { $0 != "/" } }

    /// A payload with other commits in it, the same one wherever it was the same: what is known already builds nothing.
    static func fresh(_ payload: Data, _ random: inout Random) -> Data {
        var bytes = Array(payload)
        var others: [[UInt8]: [UInt8]] = [:]
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex { !isHexDigit($0) } ?? bytes.count
            if end - start == 40 {
                // A copy: a slice would have all bytes copied at the change.
                let old = Array(bytes[start..<end])
                let other = Set(old).count == 1 ? old : others[old] ?? commit(&random)
                others[old] = other
                for (place, digit) in zip(start..<end, other) { bytes[place] = digit }
            }
            start = end + 1
        }
        return Data(bytes)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func commit(_ random: inout Random) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        let numbers = [random.next(), random.next(), random.next()]
        return (0..<40).map { digits[Int(truncatingIfNeeded: numbers[$0 / 16] >> (UInt64($0 % 16) * 4)) & 15] }
    }
}
