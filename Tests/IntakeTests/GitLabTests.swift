import Foundation
import Model
import Testing

@testable import Intake

@Suite struct GitLabTests {
    private static func push(
        _ ref: String, before: String = id("1"), after: String = id("2"), checkout: String? = id("2"),
        name: String = "\"event_name\":\"push\",", commits: String? = nil
    ) -> String {
        let listed = """
            [{"id":"\(id("4"))","message":"Other","author":{"name":"Bob"}},
            {"id":"\(id("2"))","message":"Fix","title":"Fix","author":{"name":"Ada","email":"[REDACTED]"}}]
            """
        return """
            {\(name)"ref":"\(ref)","before":"\(before)","after":"\(after)",
            "checkout_sha":\(checkout.map { "\"\($0)\"" } ?? "null"),"user_email":"","commits":\(commits ?? listed),
            "total_commits_count":40,"project":{"git_http_url":"https://git.example.com/a/b/c/shop.git",
            "git_ssh_url":"git@git.example.com:a/b/c/shop.git","url":"git@git.example.com:a/b/c/shop.git",
            "default_branch":"main"},"repository":{"url":"ssh://git@git.example.com:2222/a/b/c/shop.git"}}
            """
    }

    private func read(_ body: String, event: String = "Push Hook") throws -> Webhook {
        try GitLab().read(.fixture(body, ["X-Gitlab-Event": event]))
    }

    @Test(arguments: ["Push Hook", "System Hook"]) func aPushIsRead(event: String) throws {
        let push = Push(
            ref: try RefName(.branch, "feature/x"), commit: try CommitID(id("2")), before: try CommitID(id("1")),
            message: "Fix", author: "Ada", defaultBranch: "main")
        let webhook = Webhook(
            event: event,
            addresses: [
                "https://git.example.com/a/b/c/shop.git", "git@git.example.com:a/b/c/shop.git",
                "ssh://git@git.example.com:2222/a/b/c/shop.git",
            ], pushes: [push])
        #expect(try read(Self.push("refs/heads/feature/x"), event: event) == webhook)
    }

    /// The header is enough; a template of the administrator's may leave out the names.
    @Test func aHooksHeaderTellsThePush() throws {
        #expect(try read(Self.push("refs/heads/main", name: "")).told == ["refs/heads/main \(id("2"))"])
    }

    @Test func aSystemHookIsToldByItsBody() throws {
        let tag = Self.push("refs/tags/v1", after: id("3"), name: "\"event_name\":\"tag_push\",")
        #expect(try read(tag, event: "System Hook").told == ["refs/tags/v1 \(id("2"))"])
        let kind = Self.push("refs/heads/main", name: "\"object_kind\":\"push\",")
        #expect(try read(kind, event: "System Hook").told == ["refs/heads/main \(id("2"))"])
    }

    @Test(
        arguments: [
            // annotated: what is checked out is the commit, and after the tag object
            (push("refs/tags/v1", after: id("3")), "refs/tags/v1 \(id("2"))"),
            (push("refs/tags/v1", after: id("3"), checkout: nil), "refs/tags/v1 -"),
            (push("refs/heads/main", checkout: nil), "refs/heads/main \(id("2"))"),
        ])
    func commits(body: String, told: String) throws {
        #expect(try read(body, event: "Tag Push Hook").told == [told])
    }

    /// Twenty are listed, and a system hook's may be others altogether.
    @Test(arguments: ["null", "[]", "[{\"id\":\"\(id("4"))\",\"message\":\"Other\"}]"])
    func onlyTheTipsMessageIsTold(commits: String) throws {
        let webhook = try read(Self.push("refs/heads/main", before: id("0"), commits: commits))
        #expect(webhook.told == ["refs/heads/main \(id("2"))"])
        #expect(webhook.pushes.first?.message == nil)
        #expect(webhook.pushes.first?.before == nil)
    }

    @Test(arguments: [
        (
            "Push Hook", push("refs/heads/old", after: id("0"), checkout: nil, commits: "[]"),
            "branch \"old\" was deleted"
        ),
        ("Tag Push Hook", push("refs/tags/v1", after: id("0"), checkout: nil), "tag \"v1\" was deleted"),
        // GitLab's sample of a repository with one commit
        ("Push Hook", push("refs/heads/main", before: id("2")), "a test of the webhook"),
        ("System Hook", "{\"event_name\":\"repository_update\",\"refs\":[]}", "the push events tell of the same"),
        ("System Hook", "{\"event_name\":\"user_create\",\"project\":5}", "event \"user_create\" builds nothing"),
        ("System Hook", "{\"event_name\":7,\"object_kind\":\"merge_request\"}", "event \"merge_request\""),
        ("System Hook", "{}", "without \"event_name\""),
        ("Issue Hook", "{\"object_kind\":\"issue\"}", "event \"Issue Hook\" builds nothing"), ("", "{}", "event \"\""),
    ])
    func nothingToBuildHasAReason(event: String, body: String, reason: String) throws {
        let webhook = try read(body, event: event)
        #expect(webhook.event == event)
        #expect(webhook.pushes.isEmpty)
        #expect(webhook.reasons.count == 1)
        #expect(webhook.reasons.first?.contains(reason) == true, "\(webhook.reasons)")
    }

    @Test(arguments: [
        ("Push Hook", "{\"text\": \"a template of the administrator's\"}", "\"ref\" is missing"),
        ("System Hook", "{\"event_name\":\"push\"}", "\"ref\" is missing"), ("Issue Hook", "text", "not JSON"),
        ("Push Hook", push("refs/heads/main", after: "main"), "\"after\": \"main\" is not a commit id"),
        ("Push Hook", push("refs/heads/main").replacing("\"ssh://", with: "5,\"x\":\""), "\"repository.url\""),
    ])
    func bodiesThatCannotBeRead(event: String, body: String, reason: String) {
        let error = #expect(throws: IntakeError.self) { try read(body, event: event) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
    }
}
