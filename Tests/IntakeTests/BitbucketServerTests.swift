import Foundation
import Model
import Platform
import Queue
import Testing

@testable import Intake

@Suite struct BitbucketServerTests {
    private let host = BitbucketServer()
    private let old = String(repeating: "a", count: 40)
    private let new = String(repeating: "b", count: 40)
    private let zero = String(repeating: "0", count: 40)

    private func inbound(_ body: String, event: String = "repo:refs_changed", _ headers: [String: String] = [:])
        -> Inbound
    {
        let sent = ["X-Event-Key": event, "X-Request-Id": "e1"].merging(headers) { $1 }
        return Inbound(
            headers: sent.map { Header(name: $0, value: $1) }, body: Data(body.utf8), remoteAddress: "192.0.2.1",
            receivedAt: Date())
    }

    private func change(_ ref: String, _ type: String, _ from: String, _ to: String) -> String {
        let kind = ref.hasPrefix("refs/tags/") ? "TAG" : "BRANCH"
        return """
            {"ref": {"id": "\(ref)", "displayId": "x", "type": "\(kind)"}, "refId": "\(ref)",
             "fromHash": "\(from)", "toHash": "\(to)", "type": "\(type)"}
            """
    }

    @Test func branchesGiveTheirCommitAndDeletionsAReason() throws {
        let body = """
            {"changes": [\(change("refs/heads/main", "UPDATE", old, new)), \(change("refs/heads/x/y", "ADD", zero, old)),
                         \(change("refs/heads/gone", "DELETE", old, zero))],
             "commits": [{"id": "\(new)", "message": "Sell", "author": {"name": "ann", "displayName": "Ann Lee"}}]}
            """
        let webhook = try host.read(inbound(body))
        #expect(
            webhook.pushes == [
                Push(
                    ref: try RefName(.branch, "main"), commit: try CommitID(new), before: try CommitID(old),
                    message: "Sell", author: "Ann Lee"),
                Push(ref: try RefName(.branch, "x/y"), commit: try CommitID(old)),
            ])
        #expect(webhook.reasons == ["branch \"gone\" was deleted; its images stay"])
        #expect(webhook.event == "repo:refs_changed" && host.delivery(inbound(body)) == "e1")
    }

    @Test func anAnnotatedTagGivesTheCommitAndNeverTheTagObject() throws {
        let tag = change("refs/tags/v1", "ADD", zero, new)
        let commit = "\"toCommit\": {\"id\": \"\(old)\", \"message\": \"Sell\", \"author\": {\"name\": \"ann\"}}"
        let told = try host.read(inbound("{\"changes\": [\(tag)], \(commit)}"))
        #expect(
            told.pushes == [
                Push(ref: try RefName(.tag, "v1"), commit: try CommitID(old), message: "Sell", author: "ann")
            ])
        // Older versions tell no commit: the checkout finds it.
        let untold = try host.read(inbound("{\"changes\": [\(tag)]}"))
        #expect(untold.pushes == [Push(ref: try RefName(.tag, "v1"))])
        // Beside several changes the one commit is not surely the tag's.
        let several = try host.read(
            inbound("{\"changes\": [\(change("refs/heads/main", "UPDATE", new, old)), \(tag)], \(commit)}"))
        #expect(several.pushes.map(\.commit?.text) == [old, nil])
        for to in [zero, new] {
            let change = change("refs/tags/v1", "DELETE", new, to)
            let gone = try host.read(inbound("{\"changes\": [\(change)], \(commit)}"))
            #expect(gone.pushes.isEmpty && gone.reasons == ["tag \"v1\" was deleted; its images stay"])
        }
    }

    @Test func aMirrorsSynchronisationIsAPushUnlessTooMuchChanged() throws {
        let event = "mirror:repo_synchronized"
        let body = "{\"changes\": [\(change("refs/heads/main", "UPDATE", old, new))], \"refLimitExceeded\": false}"
        #expect(try host.read(inbound(body, event: event)).pushes.map(\.commit?.text) == [new])
        let tooMuch = try host.read(inbound("{\"changes\": [], \"refLimitExceeded\": true}", event: event))
        #expect(tooMuch.pushes.isEmpty && tooMuch.reasons.first?.contains("than Bitbucket tells of") == true)
    }

    @Test func pingsEmptyPushesAndOtherEventsHaveReasons() throws {
        let ping = try host.read(inbound("{\"test\": true}", event: "diagnostics:ping"))
        #expect(ping.reasons == ["ping: the webhook is set up"])
        #expect(try host.read(inbound("{\"changes\": []}")).reasons == ["the push changed no branch and no tag"])
        #expect(try host.read(inbound("{}", event: "pr:opened")).reasons.first?.contains("builds nothing") == true)
    }

    @Test(arguments: [
        // told, the http one with the user who made the webhook
        (
            #"{"slug": "shop", "links": {"clone": [{"href": "https://ann@git.example.com/scm/acme/shop.git"}, {"href": "ssh://git@git.example.com:7999/acme/shop.git"}]}}"#,
            ["https://git.example.com/scm/acme/shop.git", "ssh://git@git.example.com:7999/acme/shop.git"]
        ),
        // from the page, with the path that Bitbucket is served under
        (
            #"{"slug": "shop", "project": {"key": "ACME"}, "links": {"self": [{"href": "http://git.example.com:7990/bitbucket/projects/ACME/repos/shop/browse"}]}}"#,
            ["http://git.example.com:7990/bitbucket/scm/acme/shop.git"]
        ),
        (
            #"{"slug": "shop", "project": {"key": "~ann", "links": {"self": [{"href": "https://git.example.com/users/ann"}]}}}"#,
            ["https://git.example.com/scm/~ann/shop.git"]
        ),
        // no host is told
        (#"{"slug": "shop", "project": {"key": "ACME"}}"#, []),
    ])
    func addresses(repository: String, addresses: [String]) throws {
        #expect(try host.read(inbound("{\"changes\": [], \"repository\": \(repository)}")).addresses == addresses)
    }

    @Test(arguments: [
        ("{}", "\"changes\" is missing"), ("{\"changes\": {}}", "\"changes\" is of another type"),
        ("{\"changes\": [{\"ref\": {}}]}", "id\" is missing"), ("", "the body is empty"),
        (
            "{\"changes\": [{\"ref\": {\"id\": \"refs/heads/x\"}, \"toHash\": \"12\", \"type\": \"ADD\"}]}",
            "not a commit id"
        ),
    ])
    func unreadableBodiesNameTheField(body: String, reason: String) {
        let error = #expect(throws: IntakeError.self) { try host.read(inbound(body)) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
    }

    @Test func aSignatureOrAPasswordProves() throws {
        let trust = Trust(owner: "acme/shop", secrets: [Secret("secret"), Secret("pass:wörd")], topics: [])
        func basic(_ login: String) -> String { "Basic " + Data(login.utf8).base64EncodedString() }
        func check(_ headers: [String: String]) throws { try host.verify(inbound("{}", headers), trust) }
        let right = "sha256=" + Crypto.hmacSHA256(key: Data("secret".utf8), Data("{}".utf8)).hex
        try check(["X-Hub-Signature": right])
        try check(["Authorization": basic("anybody:secret")])
        // A colon ends the name, the next ones are the password's; the scheme is in any case.
        try check(["Authorization": basic(":pass:wörd").replacing("Basic", with: "basic")])
        // Where there is a signature, it counts.
        let wrong = "sha256=" + String(repeating: "0", count: 64)
        for headers in [
            [:], ["X-Hub-Signature": wrong], ["X-Hub-Signature": wrong, "Authorization": basic("x:secret")],
            ["X-Hub-Signature": "", "Authorization": basic("x:secret")], ["Authorization": basic("x:secre")],
            ["Authorization": basic("secret")], ["Authorization": "Basic !"], ["Authorization": "Bearer secret"],
            ["Authorization": basic("secret:")],
        ] {
            #expect(throws: IntakeError.self, "\(headers)") { try check(headers) }
        }
        let none = Trust(owner: "acme/shop", secrets: [], topics: [])
        let sent = inbound("{}", ["Authorization": basic("x:")])
        #expect(throws: IntakeError.self) { try host.verify(sent, none) }
    }
}
