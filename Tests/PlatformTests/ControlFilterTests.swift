import Foundation
import Platform
import Testing

/// What a log may do to the terminal of whoever reads it: colour it, and nothing else.
@Suite struct ControlFilterTests {
    private static let rows: [(text: String, shown: String)] = [
        // What is meant to be read.
        ("plain\ttext\n", "plain\ttext\n"), ("Grüße 🚢 e\u{301}\n", "Grüße 🚢 e\u{301}\n"), ("", ""),
        // Colours, also of 256 and of 24 bits; one that is left on ends with the text.
        ("\u{1b}[31mred\u{1b}[0m\n", "\u{1b}[31mred\u{1b}[0m\n"),
        ("\u{1b}[1;38;5;208mx\u{1b}[m", "\u{1b}[1;38;5;208mx\u{1b}[m"),
        ("\u{1b}[38:2::1:2:3mx\u{1b}[0m", "\u{1b}[38:2::1:2:3mx\u{1b}[0m"),
        ("\u{1b}[31mon", "\u{1b}[31mon\u{1b}[0m"), ("\u{9b}32mC1\u{1b}[0m", "\u{1b}[32mC1\u{1b}[0m"),
        // What ends with m, but is no colour: modes of the keyboard.
        ("\u{1b}[>4;2mx", "x"), ("\u{1b}[?4mx", "x"), ("\u{1b}[1 mx", "x"),
        // The cursor, erasing, scrolling, modes, the alternate screen, and questions whose answer is typed for us.
        ("a\u{1b}[2Jb\u{1b}[1;1Hc\u{1b}[3Ad\u{1b}[Ke", "abcde"), ("\u{1b}[?1049hx\u{1b}[?25l", "x"),
        ("\u{1b}[6nx\u{1b}[c\u{1b}[>0q", "x"), ("\u{1b}7x\u{1b}8\u{1b}c\u{1b}=", "x"), ("\u{9b}2Jx", "x"),
        // Titles, links, the clipboard, device commands; ended by BEL, ST, or C1's ST.
        ("\u{1b}]0;owned\u{7}x", "x"), ("\u{1b}]0;owned\u{1b}\\x", "x"), ("\u{9d}0;owned\u{9c}x", "x"),
        ("\u{1b}]52;c;cm0gLXJm\u{7}x", "x"), ("\u{1b}]8;;http://evil\u{7}text\u{1b}]8;;\u{7}", "text"),
        ("\u{1b}P+q544e\u{1b}\\x", "x"), ("\u{90}1$r\u{9c}x", "x"), ("\u{1b}_cmd\u{1b}\\x", "x"),
        ("\u{1b}^pm\u{1b}\\x", "x"), ("\u{1b}Xsos\u{1b}\\x", "x"), ("\u{1b}ktitle\u{1b}\\x", "x"),
        // A string that doesn't end hides nothing of the lines after it.
        ("\u{1b}]0;owned\nnext", "\nnext"), ("\u{1b}]0;a\u{1b}[31mred\u{1b}[0m", "\u{1b}[31mred\u{1b}[0m"),
        // Character sets and single shifts.
        ("\u{1b}(0lqk\u{1b}(B", "lqk"), ("\u{1b}%Gx", "x"), ("\u{e}x\u{f}", "x"), ("\u{1b}Nax", "x"),
        // Sequences that break off.
        ("\u{1b}", ""), ("x\u{1b}[", "x"), ("\u{1b}[31\nx", "\nx"),
        ("\u{1b}\u{1b}[31mx\u{1b}[0m", "\u{1b}[31mx\u{1b}[0m"),
        ("\u{1b}ß", "ß"), ("\u{1b}[3ß", "ß"),
        // Single controls.
        ("a\u{8}b\u{7}c\u{0}d\u{7f}e\u{84}f", "abcdef"), ("a\u{b}b\u{c}c\u{85}d", "a\nb\nc\nd"),
        // Overwritten lines are all there to read: progress, and what was to be covered up.
        ("10%\r50%\r100%\n", "10%\n50%\n100%\n"), ("one\r\ntwo\r\r\n", "one\ntwo\n"), ("\r\n\rx\r", "\nx"),
        ("rm -rf /\r\u{1b}[2Kls\n", "rm -rf /\nls\n"),
    ]

    private func filtered(_ data: Data, pieces length: Int) -> Data {
        var filter = ControlFilter()
        var shown = Data()
        for start in stride(from: 0, to: data.count, by: length) {
            shown += filter.take(data.dropFirst(start).prefix(length))
        }
        return shown + filter.end()
    }

    @Test(arguments: rows) func row(text: String, shown: String) {
        for length in [1, 2, 3, 5, 1000] {
            let got = String(decoding: filtered(Data(text.utf8), pieces: length), as: UTF8.self)
            #expect(got == shown, "in pieces of \(length)")
        }
    }

    /// Bytes that are no UTF-8, such as C1 controls of one byte.
    @Test(
        arguments: [
            ([0x9b, 0x32, 0x4a], "\u{fffd}2J"), ([0x41, 0xc2], "A\u{fffd}"), ([0xe2, 0x82, 0x41], "\u{fffd}A"),
            ([0xc0, 0x9b, 0x41], "\u{fffd}\u{fffd}A"), ([0xed, 0xa0, 0x80], "\u{fffd}\u{fffd}\u{fffd}"),
        ] as [([UInt8], String)])
    func bytes(bytes: [UInt8], shown: String) {
        for length in [1, 2, 1000] {
            #expect(String(decoding: filtered(Data(bytes), pieces: length), as: UTF8.self) == shown)
        }
    }

    /// Whatever comes, in whatever pieces: nothing but text, tabs, line ends and colours goes out.
    @Test func anything() throws {
        var random = SystemRandomNumberGenerator()
        let likely: [UInt8] = Array("\u{1b}[]P\\mHJ0;?>\r\n\u{7}\u{8}ab\u{9b}\u{9d}é".utf8)
        for _ in 0..<2000 {
            let data = Data(
                (0..<40).map { _ in
                    Bool.random(using: &random) ? likely.randomElement(using: &random)! : .random(in: 0...255)
                })
            let text = String(decoding: filtered(data, pieces: .random(in: 1...7)), as: UTF8.self)
            let plain = text.replacing(/\u{1b}\[[0-9:;]*m/, with: "")
            let bad = plain.unicodeScalars.filter {
                $0.properties.generalCategory == .control && !"\t\n".unicodeScalars.contains($0)
            }
            #expect(bad.isEmpty, "\(Array(data))")
            #expect(text == String(decoding: filtered(data, pieces: 1), as: UTF8.self))
        }
    }

    @Test func aStringWithoutEndHidesLittle() {
        let text = "\u{1b}]0;" + String(repeating: "a", count: 5000) + "end"
        let shown = ControlFilter.harmless(text)
        #expect(shown.hasSuffix("aend") && shown.count < 1000)
    }

    @Test func withoutColours() {
        #expect(ControlFilter.harmless("\u{1b}[31mred\u{1b}[0m", keepsColours: false) == "red")
    }
}
