import Foundation
import Model

/// How many requests may come, of all who serve together.
extension Database {
    /// The generic cell rate algorithm (ITU-T I.371): of each bucket it is kept when it is full again.
    func take(from bucket: String, at rate: Rate) throws -> Duration? {
        // Whole nanoseconds: sums of fractions of a second would let too many through, or too few.
        let now = try nanoseconds
        let period = Int64(rate.period) * 1_000_000_000
        let each = period / Int64(rate.count)
        // The clock may have been set back: nobody waits for longer than an empty bucket takes.
        let full = "CASE WHEN b.full_at < ?2 THEN ?2 WHEN b.full_at > ?3 THEN ?3 ELSE b.full_at END"
        let taken = try count(
            """
            INSERT INTO buckets AS b (name, full_at) VALUES (?1, ?2 + ?4)
            ON CONFLICT (name) DO UPDATE SET full_at = \(full) + ?4 WHERE \(full) + ?4 <= ?3
            """, bucket, now, now + period, each)
        if taken > 0 { return nil }
        let left = try first("SELECT full_at FROM buckets WHERE name = ?", bucket) {
            try $0.get("full_at", as: Int64.self)
        }
        // At least one: that it has just been filled is no leave to go on.
        return .nanoseconds(max(1, min(max(left ?? now, now), now + period) + each - (now + period)))
    }

    /// One that is full is as if it had never been.
    func forgetBuckets() throws { try run("DELETE FROM buckets WHERE full_at <= ?", nanoseconds) }

    private var nanoseconds: Int64 { get throws { try Int64(now.timeIntervalSince1970 * 1e9) } }
}
