import Foundation
import Platform
import TestSupport
import Testing

@Suite(.enabled(if: Command.path(of: "openssl") != nil, "the program openssl is missing"))
struct CertificateTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func make(_ key: [String]) async throws -> Data {
        try await Command.run(
            "openssl",
            [
                "req", "-x509", "-nodes", "-keyout", folder["key"], "-out", folder["cert"], "-subj", "/CN=x", "-days",
                "30",
            ]
                + key)
        return try Data(contentsOf: URL(fileURLWithPath: folder["cert"]))
    }

    @Test func anRSAKeysSignatureVerifiesWithItsOwnHashOnly() async throws {
        let certificate = try #require(Crypto.Certificate(pem: await make(["-newkey", "rsa:2048"])))
        let message = Data("pushed".utf8)
        try await Command.run(
            "openssl", ["dgst", "-sha256", "-sign", folder["key"], "-out", folder["signature"]], input: message)
        let signature = try Data(contentsOf: URL(fileURLWithPath: folder["signature"]))
        #expect(certificate.verifies(signature, of: message, .sha256))
        #expect(!certificate.verifies(signature, of: message, .sha1))
        #expect(!certificate.verifies(signature, of: message + [0], .sha256))
        #expect(!certificate.verifies(signature.dropLast(), of: message, .sha256))
        #expect(!certificate.verifies(Data(), of: Data(), .sha256))
        #expect(abs(certificate.validUntil.timeIntervalSince(certificate.validFrom) - 30 * 86400) < 1)
        #expect(abs(certificate.validFrom.timeIntervalSinceNow) < 3600)
    }

    @Test func anotherKindOfKeyOrTextIsNone() async throws {
        let curve = try await make(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        #expect(Crypto.Certificate(pem: curve) == nil)
        let text = String(decoding: try await make(["-newkey", "rsa:2048"]), as: UTF8.self)
        #expect(Crypto.Certificate(pem: Data(text.utf8)) != nil)
        // Encrypted, it would need a password, and nobody is asked for one.
        let begin = "-----BEGIN CERTIFICATE-----\n"
        let encrypted = text.replacing(
            begin, with: begin + "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,000102030405060708090A0B0C0D0E0F\n\n")
        for odd in [
            encrypted, "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", String(text.prefix(300)),
        ] {
            #expect(Crypto.Certificate(pem: Data(odd.utf8)) == nil)
        }
    }
}
