import Foundation
import Model
import Platform
import Testing

@testable import Intake

@Suite struct GitHostsTests {
    private static func host(_ headers: [String: String]) -> (any GitHost)? {
        let inbound = Inbound.fixture("{}", headers)
        return GitHosts.all.first { $0.sent(inbound) }
    }

    @Test(
        arguments: [
            // Gitea and Forgejo send the headers of those before them too.
            (["X-GitHub-Event", "X-Gogs-Event", "X-Gitea-Event", "X-Forgejo-Event"], "forgejo"),
            (["X-GitHub-Event", "X-Gogs-Event", "X-Gitea-Event"], "gitea"),
            (["X-GitHub-Event", "X-Gogs-Event"], "gogs"), (["X-GitHub-Event"], "github"),
            (["X-Gitlab-Event"], "gitlab"), (["x-gitlab-event"], "gitlab"), (["X-GITEA-EVENT"], "gitea"),
        ] as [([String], String)])
    func toldByHeaders(headers: [String], name: String) {
        for value in ["push", ""] {
            #expect(Self.host(Dictionary(uniqueKeysWithValues: headers.map { ($0, value) }))?.name == name)
        }
    }

    @Test func noneIsToldByOtherHeaders() {
        #expect(Self.host(["X-Hub-Signature-256": "sha256=00", "X-GitHub-Delivery": "1"]) == nil)
    }

    @Test(
        arguments: [
            (GitHub(), ["X-GitHub-Delivery": "a", "X-Gitea-Delivery": "b"], "a"),
            (GitHub(), ["X-GitHub-Delivery": ""], nil),
            (Gitea(), ["X-GitHub-Delivery": "a", "X-Gogs-Delivery": "a", "X-Gitea-Delivery": "b"], "b"),
            (Forgejo(), ["X-Gitea-Delivery": "a", "X-Forgejo-Delivery": "b"], "b"),
            (Gogs(), ["X-GitHub-Delivery": "a", "X-Gogs-Delivery": "b"], "b"), (Gogs(), ["X-Gogs-Delivery": ""], nil),
            // The key of newer GitLabs, that of signed webhooks, and those that name no delivery.
            (GitLab(), ["Idempotency-Key": "a", "webhook-id": "b"], "a"),
            (GitLab(), ["Idempotency-Key": "", "webhook-id": "b"], "b"),
            (GitLab(), ["X-Gitlab-Event-UUID": "a", "X-Gitlab-Webhook-UUID": "b"], nil),
        ] as [(any GitHost, [String: String], String?)])
    func deliveries(host: any GitHost, headers: [String: String], id: String?) {
        #expect(host.delivery(.fixture("{}", headers)) == id)
    }
}

@Suite struct SignatureTests {
    private static let hosts: [(any GitHost, String, String)] = [
        (GitHub(), "X-Hub-Signature-256", "sha256="), (Gitea(), "X-Gitea-Signature", ""),
        (Forgejo(), "X-Forgejo-Signature", ""), (Gogs(), "X-Gogs-Signature", ""),
    ]

    private static func signature(of body: String, by secret: String = "old") -> String {
        Crypto.hmacSHA256(key: Data(secret.utf8), Data(body.utf8)).hex
    }

    /// The sentence of the refusal; nil where it was taken.
    static func refusal(_ host: any GitHost, _ inbound: Inbound, _ trust: Trust) async -> String? {
        do {
            try await host.verify(inbound, trust)
            return nil
        } catch IntakeError.unauthenticated(let sentence) {
            return sentence
        } catch {
            return "another error: \(error)"
        }
    }

    /// The vector of GitHub's documentation ("Validating webhook deliveries").
    @Test func documentedVectorIsGenuine() async {
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        let inbound = Inbound.fixture("Hello, World!", ["x-hub-signature-256": signature])
        #expect(await Self.refusal(GitHub(), inbound, .fixture("It's a Secret to Everybody")) == nil)
    }

    @Test(arguments: hosts.indices) func eachHostHasItsHeader(index: Int) async {
        let (host, header, prefix) = Self.hosts[index]
        let body = "{\"ref\": \"ü\"}"
        let good = Self.signature(of: body)
        let inbound = Inbound.fixture(body, [header: prefix + good])
        #expect(await Self.refusal(host, inbound, .fixture("new", "old")) == nil)
        #expect(await Self.refusal(host, inbound, .fixture("new"))?.contains("does not fit") == true)
        #expect(await Self.refusal(host, inbound, .fixture())?.contains("no webhook_secret") == true)
        // The right digits in every header but its own.
        let others = Self.hosts.filter { $0.1 != header }.map { ($0.1, $0.2 + good) }
        let foreign = Dictionary(uniqueKeysWithValues: others + [("X-Hub-Signature", "sha1=\(good.prefix(40))")])
        let sentence = await Self.refusal(host, .fixture(body, foreign), .fixture("old"))
        #expect(sentence?.contains("\(header) is missing") == true, "\(sentence ?? "taken")")
    }

    @Test(arguments: hosts.indices) func malformedOnes(index: Int) async {
        let (host, header, prefix) = Self.hosts[index]
        let good = Self.signature(of: "{}")
        let cases = [
            // empty and bare, as those without a secret send it
            ("", "missing or empty"), (prefix, "missing or empty"),
            // cut short, too long, no digits, of another body
            (prefix + good.dropLast(2), "64 hexadecimal"), (prefix + good + "00", "64 hexadecimal"),
            (prefix + String(repeating: "g", count: 64), "64 hexadecimal"), (prefix + id("0") + "00", "64 hexadecimal"),
            (prefix + Self.signature(of: "{} "), "does not fit"),
            // another host's way to write it
            ((prefix.isEmpty ? "sha256=" : "") + good, "64 hexadecimal"),
            // the body's real SHA-1, named so
            ("sha1=" + Crypto.hmacSHA1(key: Data("old".utf8), Data("{}".utf8)).hex, "64 hexadecimal"),
        ]
        for (value, reason) in cases {
            let sentence = await Self.refusal(host, .fixture("{}", [header: value]), .fixture("old"))
            #expect(sentence?.contains(reason) == true, "\(value): \(sentence ?? "taken")")
            #expect(sentence?.contains(good) != true)
        }
    }

    @Test(arguments: hosts.indices) func formsAreSignedTheHostsWay(index: Int) async {
        let (host, header, prefix) = Self.hosts[index]
        let form = Inbound.form("{\"a\": 1}")
        func refusal(signed: String) async -> String? {
            await Self.refusal(
                host,
                .fixture(
                    form,
                    [
                        header: prefix + Self.signature(of: signed),
                        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
                    ]), .fixture("old"))
        }
        // GitHub signs what it sends, the others the JSON in it.
        #expect((await refusal(signed: form) == nil) == (host.name == "github"))
        #expect((await refusal(signed: "{\"a\": 1}") == nil) == (host.name != "github"))
    }

    @Test(arguments: ["a=b", "payload=%zz", "payload=%ff"]) func formsWithoutAPayload(form: String) async throws {
        let inbound = Inbound.fixture(
            form, ["X-Gitea-Signature": Self.signature(of: ""), "Content-Type": "application/x-www-form-urlencoded"])
        #expect(await Self.refusal(Gitea(), inbound, .fixture("old"))?.contains("no field \"payload\"") == true)
        #expect(throws: IntakeError.self) { try Gitea().read(inbound) }
        #expect(throws: IntakeError.self) { try GitHub().read(inbound) }
    }
}
