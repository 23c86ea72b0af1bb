import Foundation
import Model
import Registry
import TestSupport
import Testing

/// Whatever a server says, the service gets an error or an answer, and goes on.
@Suite struct OddAnswersTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

    @Test(arguments: [
        // Challenges, right and wrong.
        "", "Basic", "Basic ", "Basic realm", "Basic realm=", "Basic realm=\"", "Basic realm=\"open",
        "Basic realm=\"a\\",
        "Basic realm=\"\u{e9}\u{1f600}\"", "Digest realm=\"a\", nonce=\"b\", qop=\"auth\"", "Digest", "NTLM",
        "Negotiate a==",
        "Bearer", "Bearer realm=\"\"", "Bearer realm=\"http://[\"", "Bearer realm=\"http://127.0.0.1:0/\"", ",", "=",
        "\"", ", ,",
        "Basic, Basic, Digest realm=x", "Digest realm=\"a\", Basic realm=\"b\"", "Basic realm=a realm=b", "\t", "é",
        String(repeating: "Basic realm=x, ", count: 500),
    ])
    func survivesChallenges(_ challenge: String) async throws {
        let server = try ScriptedServer { _ in .answer(401, [("WWW-Authenticate", challenge)], "{}") }
        defer { server.stop() }
        await #expect(throws: RegistryError.self) { try await RegistryClientTests.client().ping(host: server.host) }
    }

    @Test(arguments: [
        // Redirects to nowhere.
        "HTTP/1.1 307 X\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 307 X\r\nLocation:\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 X\r\nLocation: http://[\r\n\r\n", "HTTP/1.1 302 X\r\nLocation: ::::\r\n\r\n",
        "HTTP/1.1 301 X\r\nLocation: //\r\n\r\n", "HTTP/1.1 301 X\r\nLocation: http:\r\n\r\n",
        "HTTP/1.1 308 X\r\nLocation: http://a b/ c\r\n\r\n", "HTTP/1.1 303 X\r\nLocation: mailto:a@b\r\n\r\n",
        "HTTP/1.1 307 X\r\nLocation: http://u:p@127.0.0.1:1/\r\n\r\n", "HTTP/1.1 304 X\r\n\r\n",
        "HTTP/1.1 300 X\r\n\r\n",
        // Heads that break the grammar, or end before their end.
        ok, "HTTP/1.1 200 OK\r\n", "\(ok)X: y",
        "", "\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 99999 X\r\n\r\n",
        "HTTP/9.9 200 X\r\n\r\n",
        "HTTP/1.1 200", "\(ok)no colon\r\n\r\nx", "\(ok): empty\r\n\r\nx",
        "\(ok) folded: x\r\n\r\nx",
        "\(ok)Content-Length: -1\r\n\r\n", "\(ok)Content-Length: 5\r\n\r\nabc", "\(ok)Content-Length: x\r\n\r\n",
        "\(ok)Transfer-Encoding: chunked\r\n\r\nzz\r\n", "\(ok)Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        "\(ok)Content-Encoding: gzip\r\n\r\nnot gzip", "\(ok)X: \u{0}\u{1}é\r\n\r\nx",
        "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 204 None\r\n\r\n",
        "\(ok)\(String(repeating: "X-Long: \(String(repeating: "y", count: 1000))\r\n", count: 2000))\r\n",
        "\(ok)\(String(repeating: "X-Long: y\r\n", count: 200_000))\r\n",
    ])
    func survivesAnswers(_ answer: String) async throws {
        let server = try ScriptedServer { _ in .raw(answer) }
        defer { server.stop() }
        let client = RegistryClientTests.client()
        await #expect(throws: RegistryError.self) {
            try await client.manifest(of: RegistryClientTests.image(server), tag: Tag("latest"))
        }
    }

    @Test(arguments: ["a b", "", "[", "[::1", "host:99999", "é.example", "a/../b", "127.0.0.1:0"])
    func survivesHosts(_ host: String) async throws {
        await #expect(throws: RegistryError.self) { try await RegistryClientTests.client().ping(host: host) }
    }
}
