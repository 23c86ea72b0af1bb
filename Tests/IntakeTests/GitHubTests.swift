import Foundation
import Model
import Testing

@testable import Intake

@Suite struct GitHubTests {
    static func push(
        _ ref: String, before: String = id("1"), after: String = id("2"), head: String? = id("2"), more: String = ""
    ) -> String {
        let commit = head.map { "{\"id\":\"\($0)\",\"message\":\"Fix\\n\\nall\",\"author\":{\"name\":\"Ada\"}}" }
        return """
            {"ref":"\(ref)","before":"\(before)","after":"\(after)","deleted":\(after == id("0")),\(more)
            "head_commit":\(commit ?? "null"),"repository":{"clone_url":"https://git.example.com/acme/shop.git",
            "ssh_url":"git@git.example.com:acme/shop.git","git_url":"","default_branch":"main"}}
            """
    }

    private func read(_ body: String, event: String = "push", form: Bool = false) throws -> Webhook {
        let type = form ? "application/x-www-form-urlencoded" : "application/json"
        return try GitHub().read(
            .fixture(form ? Inbound.form(body) : body, ["X-GitHub-Event": event, "Content-Type": type]))
    }

    @Test func aPushIsRead() throws {
        let push = Push(
            ref: try RefName(.branch, "feature/x/y"), commit: try CommitID(id("2")), before: try CommitID(id("1")),
            message: "Fix\n\nall", author: "Ada", defaultBranch: "main")
        let webhook = Webhook(
            event: "push",
            addresses: ["https://git.example.com/acme/shop.git", "git@git.example.com:acme/shop.git"], pushes: [push])
        #expect(try read(Self.push("refs/heads/feature/x/y")) == webhook)
        #expect(try read(Self.push("refs/heads/feature/x/y"), form: true) == webhook)
    }

    @Test func aNewBranchHadNoCommitBefore() throws {
        let body = Self.push(
            "refs/heads/new", before: id("0"), more: "\"created\":true,\"commits\":[],\"base_ref\":null,")
        let webhook = try read(body)
        #expect(webhook.told == ["refs/heads/new \(id("2"))"])
        #expect(webhook.pushes.first?.before == nil)
    }

    @Test func anAnnotatedTagGivesItsCommit() throws {
        #expect(try read(Self.push("refs/tags/v1", after: id("3"))).told == ["refs/tags/v1 \(id("2"))"])
        #expect(try read(Self.push("refs/tags/v1", after: id("3"), head: nil)).told == ["refs/tags/v1 \(id("3"))"])
    }

    @Test func authorsWithoutAName() throws {
        let commit = "{\"id\":\"\(id("2"))\",\"author\":{\"name\":\"\",\"username\":\"ada\",\"email\":null}}"
        for (author, wanted) in [(commit, "ada"), (commit.replacing("ada", with: ""), nil)] as [(String, String?)] {
            let body = Self.push("refs/heads/main", head: nil).replacing("null", with: author)
            #expect(try read(body).pushes.first?.author == wanted)
            #expect(try read(body).pushes.first?.message == nil)
        }
    }

    @Test func veryOldBodies() throws {
        let body = """
            {"ref":"refs/heads/master","after":"\(id("2"))","repository":
            {"url":"https://git.example.com/acme/shop","master_branch":"master"}}
            """
        let webhook = try read(body)
        #expect(webhook.addresses == ["https://git.example.com/acme/shop"])
        #expect(webhook.pushes.first?.defaultBranch == "master")
    }

    @Test func theAddressOfTheInterfaceIsNoneToCloneFrom() throws {
        let body = """
            {"repository":{"url":"https://api.example.com/repos/acme/shop","clone_url":"https://git.example.com/a/b"}}
            """
        #expect(try read(body, event: "ping").addresses == ["https://git.example.com/a/b"])
    }

    @Test(arguments: [
        ("ping", "{\"zen\": \"Design for failure.\", \"hook_id\": 1}", "ping"), ("issues", "{}", "only pushes"),
        // GitHub sends these beside the push that they are about.
        ("create", "{\"ref\": \"v1\", \"ref_type\": \"tag\"}", "the push event tells of it"),
        ("delete", "{\"ref\": \"v1\", \"ref_type\": \"tag\"}", "was deleted"),
        ("", "{}", "event \"\""), ("package", "{\"repository\": \"of another shape\"}", "only pushes"),
        ("push", push("refs/heads/old", after: id("0"), head: nil), "branch \"old\" was deleted"),
        ("push", push("refs/tags/v1", after: id("0"), head: nil), "tag \"v1\" was deleted"),
        ("push", push("refs/heads/old").replacing("\"deleted\":false", with: "\"deleted\":true"), "was deleted"),
        ("push", push("refs/notes/commits"), "neither a branch"), ("push", push("main"), "neither a branch"),
        ("push", push("refs/heads/a..b"), "can't be the name"),
    ])
    func nothingToBuildHasAReason(event: String, body: String, reason: String) throws {
        let webhook = try read(body, event: event)
        #expect(webhook.event == event)
        #expect(webhook.pushes.isEmpty)
        #expect(webhook.reasons.count == 1)
        #expect(webhook.reasons.first?.contains(reason) == true, "\(webhook.reasons)")
    }

    @Test(arguments: [
        ("", "empty"), ("nonsense", "not JSON"), ("[]", "of another type"), ("{}", "\"ref\" is missing"),
        ("{\"ref\": 5, \"after\": \"\"}", "\"ref\" is of another type"),
        ("{\"ref\": \"refs/heads/main\"}", "\"after\" is missing"),
        (push("refs/heads/main", after: "xyz"), "\"after\": \"xyz\" is not a commit id"),
        (push("refs/tags/v1", head: "xyz"), "\"xyz\" is not a commit id"),
        (push("refs/heads/main", head: nil).replacing("null", with: "{}"), "\"head_commit.id\" is missing"),
        (push("refs/heads/main", head: nil, more: "\"commits\":{},"), "\"commits\" is of another type"),
        (String(repeating: "[", count: 100_000), "not JSON"),
        (String(repeating: "{\"a\":", count: 100_000), "not JSON"),
    ])
    func bodiesThatCannotBeRead(body: String, reason: String) {
        let error = #expect(throws: IntakeError.self) { try read(body) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
        #expect((error?.description.count ?? 0) < 400)
        guard case .unreadable = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
