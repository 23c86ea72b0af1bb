import Foundation
import Model
import Testing

@testable import Worker

@Suite struct MaskTests {
    private func masked(_ chunks: [String], _ secrets: [String]) -> String {
        var mask = Mask(secrets.map(Secret.init))
        var out = Data()
        for chunk in chunks { out += mask.feed(Data(chunk.utf8)) }
        return String(decoding: out + mask.finish(), as: UTF8.self)
    }

    @Test(arguments: [
        // whole, twice, beside itself
        (["a hunter22 b hunter22"], "a *** b ***"), (["hunter22hunter22"], "******"),
        // across one border, across many, one byte at a time
        (["a hun", "ter22 b"], "a *** b"), (["h", "u", "n", "t", "e", "r", "2", "2", "!"], "***!"),
        // a beginning that comes to nothing, at a border and at the end
        (["hunt", "ing"], "hunting"), (["a hunter2"], "a hunter2"), (["hunhunter22"], "hun***"),
        (["hun", "hunter22"], "hun***"),
        // the longer of two that begin alike
        (["hunter22-long"], "***"), (["hunter22", "-lo", "ng"], "***"), (["hunter22", "-lost"], "***-lost"),
    ])
    func secretsAreMasked(chunks: [String], result: String) {
        #expect(masked(chunks, ["hunter22", "hunter22-long"]) == result)
    }

    @Test func eachLineOfAKeyIsMasked() {
        #expect(masked(["x\n  BBBB\n", "AAAA"], ["AAAA\nBBBB\n"]) == "x\n  ***\n***")
    }

    @Test func whatIsTooShortToBeASecretIsLeft() {
        #expect(masked(["a1 a1"], ["a1", ""]) == "a1 a1")
    }

    /// Any way to cut a text gives the same result as the text in one piece.
    @Test func bordersMakeNoDifference() {
        let secrets = ["abab", "ababc", "bca"]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let text = String((0..<60).map { _ in "abc ".randomElement(using: &random) ?? " " })
            var chunks: [String] = []
            var rest = text[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...7, using: &random)
                chunks.append(String(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(masked(chunks, secrets) == masked([text], secrets), "\(chunks)")
        }
    }
}
