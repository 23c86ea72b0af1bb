import Foundation
import Model
import Platform
import Queue
import Testing

@testable import Intake

@Suite struct BitbucketCloudTests {
    private let host = BitbucketCloud()
    private let old = String(repeating: "a", count: 40)
    private let new = String(repeating: "b", count: 40)

    private func inbound(_ body: String, _ headers: [String: String] = [:]) -> Inbound {
        let sent = ["X-Event-Key": "repo:push", "X-Hook-UUID": "6f1d", "X-Request-UUID": "e1"].merging(headers) { $1 }
        return Inbound(
            headers: sent.map { Header(name: $0, value: $1) }, body: Data(body.utf8), remoteAddress: "192.0.2.1",
            receivedAt: Date())
    }

    private func push(_ changes: String) -> Inbound {
        inbound(
            """
            {"push": {"changes": [\(changes)]},
             "repository": {"full_name": "acme/shop", "links": {"html": {"href": "https://bitbucket.org/acme/shop"}}}}
            """)
    }

    private func ref(_ type: String, _ name: String, _ hash: String) -> String {
        """
        {"type": "\(type)", "name": "\(name)",
         "target": {"hash": "\(hash)", "message": "Sell\\n", "author": {"raw": "Ann Lee <ann@example.com>"}}}
        """
    }

    @Test func isToldFromTheServer() {
        #expect(host.sent(inbound("{}")))
        #expect(host.sent(inbound("{}", ["X-Event-Key": "pullrequest:created"])))
        let bare = { (headers: [String: String]) in
            Inbound(
                headers: headers.map { Header(name: $0, value: $1) }, body: Data(), remoteAddress: "192.0.2.1",
                receivedAt: Date())
        }
        #expect(host.sent(bare(["x-event-key": "repo:fork", "User-Agent": "Bitbucket-Webhooks/2.0"])))
        #expect(!host.sent(bare(["X-Event-Key": "repo:refs_changed"])))
        #expect(!host.sent(bare(["X-Event-Key": "diagnostics:ping"])))
        #expect(host.delivery(inbound("{}")) == "e1")
    }

    @Test func severalRefsOfOneRequestAreSeveralPushes() throws {
        let webhook = try host.read(
            push(
                """
                {"new": \(ref("branch", "main", new)), "old": \(ref("branch", "main", old)), "forced": true},
                {"new": \(ref("tag", "v1", new)), "old": null},
                {"new": null, "old": \(ref("branch", "gone", old)), "closed": true}
                """))
        #expect(
            webhook.pushes == [
                Push(
                    ref: try RefName(.branch, "main"), commit: try CommitID(new), before: try CommitID(old),
                    message: "Sell\n", author: "Ann Lee"),
                Push(ref: try RefName(.tag, "v1"), commit: try CommitID(new), message: "Sell\n", author: "Ann Lee"),
            ])
        #expect(webhook.reasons == ["branch \"gone\" was deleted; its images stay"])
        #expect(
            webhook.addresses == [
                "https://bitbucket.org/acme/shop.git", "ssh://git@bitbucket.org/acme/shop.git",
                "git@bitbucket.org:acme/shop.git",
            ])
    }

    @Test func aNamedBranchIsABranchAndAnotherTypeIsNone() throws {
        let webhook = try host.read(
            push(
                """
                {"new": \(ref("named_branch", "default", new))}, {"new": \(ref("bookmark", "here", new))}
                """))
        #expect(webhook.pushes.map(\.ref.text) == ["refs/heads/default"])
        #expect(webhook.reasons == ["\"here\" is of the type \"bookmark\", neither branch nor tag"])
    }

    @Test func nothingChangedAndOtherEventsHaveReasons() throws {
        #expect(try host.read(push("")).reasons == ["the push changed no branch and no tag"])
        #expect(try host.read(push("{\"new\": null, \"old\": null}")).reasons.count == 1)
        let fork = try host.read(inbound("{}", ["X-Event-Key": "repo:fork"]))
        #expect(fork.event == "repo:fork" && fork.reasons.count == 1)
    }

    @Test(arguments: [
        ("{}", "\"push\" is missing"),
        ("{\"push\": {\"changes\": 5}}", "\"push.changes\" is of another type"),
        ("{\"push\": {\"changes\": [{\"new\": {\"type\": \"branch\", \"name\": \"x\"}}]}}", "target\" is missing"),
        (
            "{\"push\": {\"changes\": [{\"new\": {\"type\": \"branch\", \"name\": \"x\", \"target\": {\"hash\": \"z\"}}}]}}",
            "not a commit id"
        ),
        ("nonsense", "not JSON"),
    ])
    func unreadableBodiesNameTheField(body: String, reason: String) {
        let error = #expect(throws: IntakeError.self) { try host.read(inbound(body)) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
    }

    @Test func onlySHA256UnderTheSecretIsASignature() throws {
        let trust = Trust(owner: "acme/shop", secrets: [Secret("old"), Secret("secret")], topics: [])
        let right = "sha256=" + Crypto.hmacSHA256(key: Data("secret".utf8), Data("{}".utf8)).hex
        try host.verify(inbound("{}", ["X-Hub-Signature": right]), trust)
        // The same digest named otherwise, the SHA-1 that a sender could choose, none, an empty one, another body.
        let sha1 = "sha1=" + Crypto.hmacSHA1(key: Data("secret".utf8), Data("{}".utf8)).hex
        for (body, value) in [
            ("{}", right.replacing("sha256", with: "sha1")), ("{}", sha1), ("{}", nil), ("{}", "sha256="),
            ("{ }", right),
        ] {
            let sent = inbound(body, value.map { ["X-Hub-Signature": $0] } ?? [:])
            #expect(throws: IntakeError.self, "\(value ?? "none")") { try host.verify(sent, trust) }
        }
    }
}
