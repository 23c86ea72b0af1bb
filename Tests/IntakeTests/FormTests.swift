import Foundation
import Testing

@testable import Intake

@Suite struct FormTests {
    @Test(
        arguments: [
            // the last of several, names with escapes, an empty one, none
            ("payload=a+b%22", "a b\""), ("payload=1&payload=2", "2"), ("x=1&p%61yload=2&y", "2"), ("payload", ""),
            ("payload=a=b&", "a=b"), ("xpayload=1", nil), ("payloads=1", nil), ("", nil), ("&&", nil),
            // its own escapes count, those of others are not looked at
            ("payload=%zz", nil), ("payload=%2", nil), ("payload=%ff", nil), ("x=%zz&payload=1&%ff=%", "1"),
            // a mark of byte order is a part of the text
            ("payload=\u{feff}a", "\u{feff}a"),
        ] as [(String, String?)])
    func theLastFieldOfANameIsFound(body: String, value: String?) {
        #expect(Form.last("payload", in: Data(body.utf8)).map { Array($0.utf8) } == value.map { Array($0.utf8) })
    }

    /// As anybody may send them, before they prove anything: millions of fields, each of which once was kept for itself.
    @Test func aFormOfManyFieldsIsGoneOver() {
        let body = Data(repeating: UInt8(ascii: "&"), count: 100) + Data(String(repeating: "a&", count: 100_000).utf8)
        #expect(Form.last("payload", in: body) == nil)
        #expect(Form.last("payload", in: body + Data("payload=1".utf8)) == "1")
    }

    @Test func pairsAreInTheirOrder() {
        let pairs = Form.pairs(Data("b=1&a=2+3&b=%26&&c".utf8))
        #expect(pairs?.map(\.0) == ["b", "a", "b", "c"])
        #expect(pairs?.map(\.1) == ["1", "2 3", "&", ""])
        for broken in ["a=%", "a=%4", "a=%4g", "a=%ff", "%=a"] { #expect(Form.pairs(Data(broken.utf8)) == nil) }
    }
}
