import Foundation
import Platform
import Testing

@Suite struct CryptoTests {
    /// FIPS 180-2, appendix B, and the empty message.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func hashes(_ message: String, _ digest: String) {
        #expect(Crypto.sha256(Data(message.utf8)).hex == digest)
    }

    /// RFC 4231, test cases 1, 2, 6 and 7.
    @Test(arguments: [
        (
            Data(repeating: 0x0b, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Data("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            Data(repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            Data(repeating: 0xaa, count: 131),
            "This is a test using a larger than block-size key and a larger than block-size data. "
                + "The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ])
    func authenticates(_ key: Data, _ message: String, _ code: String) {
        #expect(Crypto.hmacSHA256(key: key, Data(message.utf8)).hex == code)
    }

    @Test func authenticatesTheEmptyMessageAndWithTheEmptyKey() {
        // Computed with Python's hmac module.
        #expect(
            Crypto.hmacSHA256(key: Data(), Data()).hex
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func comparesInConstantTime() {
        #expect(Crypto.constantTimeEqual(Data("abc".utf8), Data("abc".utf8)))
        #expect(Crypto.constantTimeEqual(Data(), Data()))
        #expect(!Crypto.constantTimeEqual(Data("abc".utf8), Data("abd".utf8)))
        #expect(!Crypto.constantTimeEqual(Data("abc".utf8), Data("ab".utf8)))
        #expect(!Crypto.constantTimeEqual(Data("abc".utf8), Data()))
    }

    @Test func givesOtherRandomBytesEachTime() {
        let drawn = Set((0..<1000).map { _ in Crypto.randomBytes(16) })
        #expect(drawn.count == 1000)
        #expect(drawn.allSatisfy { $0.count == 16 })
        #expect(Crypto.randomBytes(0).isEmpty)
    }

    @Test func readsAndWritesHexadecimalDigits() {
        #expect(Data([0x00, 0x0f, 0xa5, 0xff]).hex == "000fa5ff")
        #expect(Data(hex: "000fA5ff") == Data([0x00, 0x0f, 0xa5, 0xff]))
        #expect(Data(hex: "") == Data())
        #expect(Data(hex: "abc") == nil)
        #expect(Data(hex: "zz") == nil)
        #expect(Data(hex: "é") == nil)
    }
}
