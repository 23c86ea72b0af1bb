import Foundation
import Model
import Testing

@testable import Intake

/// Gitea, and Forgejo and Gogs with it, whose bodies are alike.
@Suite struct GiteaTests {
    private static let hosts: [any GitHost] = [Gitea(), Forgejo(), Gogs()]

    private func read(_ body: String, event: String = "push", from host: any GitHost = Gitea()) async throws -> Webhook
    {
        let header = ["gitea": "X-Gitea-Event", "forgejo": "X-Forgejo-Event", "gogs": "X-Gogs-Event"][host.name] ?? ""
        // What they add for receivers that know GitHub alone must not count.
        return try await host.read(.fixture(body, [header: event, "X-GitHub-Event": "issues"]))
    }

    /// Without `head_commit`, as Gogs and old Giteas write it; the newest commit comes first.
    private static func push(_ ref: String, before: String = id("1"), after: String = id("2"), commits: String? = nil)
        -> String
    {
        let listed = """
            [{"id":"\(id("2"))","message":"Fix","author":{"name":"Ada","email":"","username":""}},
            {"id":"\(id("4"))","message":"Other","author":{"name":"Bob"}}]
            """
        return """
            {"secret":"hunter2","ref":"\(ref)","before":"\(before)","after":"\(after)","commits":\(commits ?? listed),
            "repository":{"clone_url":"http://git.example.com/acme/shop.git","ssh_url":"","url":"http://api",
            "default_branch":"main"}}
            """
    }

    @Test(arguments: hosts.indices) func aPushIsRead(index: Int) async throws {
        let webhook = try await read(Self.push("refs/heads/feature/x"), from: Self.hosts[index])
        let push = Push(
            ref: try RefName(.branch, "feature/x"), commit: try CommitID(id("2")), before: try CommitID(id("1")),
            message: "Fix", author: "Ada", defaultBranch: "main")
        #expect(
            webhook == Webhook(event: "push", addresses: ["http://git.example.com/acme/shop.git"], pushes: [push]))
    }

    /// Gogs has no push event for tags; the others send it beside this one.
    @Test(arguments: hosts.indices) func aCreatedTag(index: Int) async throws {
        let host = Self.hosts[index]
        let body = """
            {"ref":"v1","ref_type":"tag","sha":"\(id("3"))","repository":{"clone_url":"http://g.example.com/a/b.git"}}
            """
        let webhook = try await read(body, event: "create", from: host)
        #expect(webhook.addresses == ["http://g.example.com/a/b.git"])
        #expect(webhook.told == (host.name == "gogs" ? ["refs/tags/v1 -"] : []))
        #expect(webhook.reasons.count == (host.name == "gogs" ? 0 : 1))
    }

    @Test func aCreatedTagWithoutItsName() async {
        let error = await #expect(throws: IntakeError.self) {
            try await read("{\"ref_type\":\"tag\"}", event: "create", from: Gogs())
        }
        #expect(error?.description.contains("Gogs's create event: \"ref\" is missing") == true)
    }

    @Test(arguments: ["null", "[]"]) func commitsMayBeLeftOut(commits: String) async throws {
        let webhook = try await read(Self.push("refs/heads/main", commits: commits))
        #expect(webhook.told == ["refs/heads/main \(id("2"))"])
        #expect(webhook.pushes.first?.message == nil)
    }

    @Test(arguments: hosts.indices) func aTagsObjectIsNotItsCommit(index: Int) async throws {
        let bare = Self.push("refs/tags/v1", before: id("0"), commits: "[]")
        #expect(try await read(bare, from: Self.hosts[index]).told == ["refs/tags/v1 -"])
        let newer = bare.replacing("\"commits\"", with: "\"head_commit\":{\"id\":\"\(id("5"))\"},\"commits\"")
        #expect(try await read(newer, from: Self.hosts[index]).told == ["refs/tags/v1 \(id("5"))"])
        // A combining mark at the name's beginning doesn't make a branch of it.
        let marked = newer.replacing("tags/v1", with: "tags/\u{301}v1")
        #expect(try await read(marked, from: Self.hosts[index]).told == ["refs/tags/\u{301}v1 \(id("5"))"])
    }

    @Test(
        arguments: [
            // Gitea sends create beside a push, and delete alone for a branch.
            (
                "create", "{\"secret\":\"hunter2\",\"ref\":\"x\",\"ref_type\":\"branch\",\"sha\":\"x\"}",
                "push event tells"
            ),
            ("delete", "{\"ref\":\"main\",\"ref_type\":\"branch\",\"pusher_type\":\"user\"}", "was deleted"),
            ("push", push("refs/tags/v1", after: id("0")), "tag \"v1\" was deleted"),
            // the button that tries a webhook out, in a repository with commits and in an empty one
            ("push", push("refs/heads/main", before: id("2")), "a test of the webhook"),
            ("push", push("refs/heads/main", before: id("0"), after: id("0")), "a test of the webhook"),
            ("repository", "{\"action\":\"created\"}", "only pushes"),
        ])
    func nothingToBuildHasAReason(event: String, body: String, reason: String) async throws {
        for host in Self.hosts {
            let webhook = try await read(body, event: event, from: host)
            #expect(webhook.pushes.isEmpty)
            #expect(webhook.reasons.count == 1)
            #expect(webhook.reasons.first?.contains(reason) == true, "\(webhook.reasons)")
        }
    }

    @Test(arguments: [
        ("{\"secret\":\"hunter2\",", "not JSON"), ("{\"secret\":\"hunter2\" \"ref\"}", "not JSON"),
        ("{\"secret\":\"hunter2\"}", "Gitea's push event: \"ref\" is missing"),
        ("{\"secret\":\"hunter2\",\"ref\":[]}", "\"ref\" is of another type"),
    ])
    func theSecretOfOldBodiesIsNeverShown(body: String, reason: String) async {
        let error = await #expect(throws: IntakeError.self) { try await read(body) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
        #expect(error?.description.contains("hunter2") == false)
    }
}
