import Foundation

/// Times as the API and the database show them: RFC 3339, UTC, milliseconds (`2026-11-21T02:43:08.120Z`).
///
/// Written here by hand: Foundation's styles bring in its calendars and locales, which alone take megabytes of a
/// service that has nothing else to do with them.
package enum Timestamp {
    package static func text(_ date: Date) -> String {
        // Rounded, since a Date can hold few milliseconds exactly: .120 is a little less.
        let milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded())
        let (second, fraction) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        var seconds = time_t(fraction < 0 ? second - 1 : second)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text: [UInt8] = []
        text.reserveCapacity(24)
        func add(_ value: Int, _ width: Int, _ behind: Character) {
            var digits = [UInt8](repeating: UInt8(ascii: "0"), count: width)
            var rest = value
            for place in digits.indices.reversed() {
                digits[place] += UInt8(rest % 10)
                rest /= 10
            }
            text += digits
            text.append(behind.asciiValue ?? 0)
        }
        add(Int(parts.tm_year) + 1900, 4, "-")
        add(Int(parts.tm_mon) + 1, 2, "-")
        add(Int(parts.tm_mday), 2, "T")
        add(Int(parts.tm_hour), 2, ":")
        add(Int(parts.tm_min), 2, ":")
        add(Int(parts.tm_sec), 2, ".")
        add(Int((fraction + 1000) % 1000), 3, "Z")
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: nil where the text is no such time. Fractions of a second may be left out.
    package static func date(_ text: String) -> Date? {
        (try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text))
            ?? (try? Date.ISO8601FormatStyle().parse(text))
    }
}
