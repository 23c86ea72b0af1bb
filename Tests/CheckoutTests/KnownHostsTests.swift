import Foundation
import Testing

@testable import Checkout

struct KnownHostsTests {
    private static func key(_ type: String, _ tail: String) -> HostKey {
        var blob = Data([0, 0, 0, UInt8(type.utf8.count)])
        blob += Data(type.utf8) + Data(tail.utf8)
        return HostKey(blob: blob)
    }

    private let shown = Self.key("ssh-ed25519", "right")

    private func verdict(_ lines: String, _ host: String = "git.example.com", _ port: UInt16 = 22) -> KnownHosts.Verdict
    {
        let other = Self.key("ssh-ed25519", "wrong"), rsa = Self.key("ssh-rsa", "rsa")
        let text = lines.replacing("RIGHT", with: "ssh-ed25519 \(shown.blob.base64EncodedString())")
            .replacing("WRONG", with: "ssh-ed25519 \(other.blob.base64EncodedString())")
            .replacing("RSA", with: "ssh-rsa \(rsa.blob.base64EncodedString())")
        return KnownHosts(text).verdict(on: host, port: port, key: shown)
    }

    @Test func linesOfEveryForm() {
        #expect(verdict("git.example.com RIGHT") == .known)
        #expect(verdict("other.example.com,git.example.com RIGHT a comment") == .known)
        #expect(verdict("GIT.example.com RIGHT") == .known)
        #expect(verdict("*.example.com RIGHT") == .known)
        #expect(verdict("git.exampl?.com RIGHT") == .known)
        #expect(verdict("*.example.com,!git.example.com RIGHT") == .unknown)
        #expect(verdict("# git.example.com RIGHT\n\n  \nother RIGHT") == .unknown)
        #expect(verdict("") == .unknown)
    }

    @Test func portsAreWrittenInBrackets() {
        #expect(verdict("[git.example.com]:2222 RIGHT", "git.example.com", 2222) == .known)
        #expect(verdict("git.example.com RIGHT", "git.example.com", 2222) == .unknown)
        #expect(verdict("[git.example.com]:2222 RIGHT") == .unknown)
    }

    // HMAC-SHA1 of "git.example.com" under the bytes 0 to 19, as ssh-keygen -H writes it.
    @Test func hashedNames() {
        let salt = "AAECAwQFBgcICQoLDA0ODxAREhM="
        let hash = "5DHGyoq+K/vX4lJK0U2p7IteoFw="
        #expect(verdict("|1|\(salt)|\(hash) RIGHT") == .known)
        #expect(verdict("|1|\(salt)|\(hash) RIGHT", "other.example.com") == .unknown)
        #expect(verdict("|1|\(salt)|broken RIGHT") == .unknown)
    }

    @Test func whatIsNotTrusted() {
        #expect(verdict("git.example.com WRONG") == .changed)
        #expect(verdict("git.example.com WRONG\ngit.example.com RIGHT") == .known)
        #expect(verdict("git.example.com RSA") == .otherTypes(["ssh-rsa"]))
        #expect(verdict("git.example.com RIGHT\n@revoked * RIGHT") == .revoked)
        #expect(verdict("@cert-authority *.example.com RIGHT") == .unknown)
        #expect(verdict("git.example.com ssh-ed25519 not-base64!") == .unknown)
    }

    @Test func theKeyIsShownAsSSHShowsIt() {
        #expect(shown.type == "ssh-ed25519")
        #expect(shown.fingerprint.hasPrefix("SHA256:") && !shown.fingerprint.hasSuffix("="))
        #expect(shown.line("h") == "h ssh-ed25519 \(shown.blob.base64EncodedString())")
        #expect(HostKey(blob: Data([0, 0, 255, 255, 1])).type == "unknown")
    }
}
