import Foundation
import Model
import Queue
import Testing

@testable import Intake

@Suite struct AzureDevOpsTests {
    private let host = AzureDevOps()
    private let old = String(repeating: "a", count: 40)
    private let new = String(repeating: "b", count: 40)
    private let zero = String(repeating: "0", count: 40)

    private func inbound(_ body: String, _ authorization: String? = nil) -> Inbound {
        Inbound(
            headers: authorization.map { [Header(name: "Authorization", value: $0)] } ?? [], body: Data(body.utf8),
            remoteAddress: "192.0.2.1", receivedAt: Date())
    }

    private func push(_ updates: String, repository: String = "{}") -> Inbound {
        inbound(
            """
            {"subscriptionId": "s", "notificationId": 3, "id": "e1", "eventType": "git.push", "resource": {
             "refUpdates": [\(updates)], "repository": \(repository),
             "commits": [{"commitId": "\(new)", "comment": "Sell", "author": {"name": "Ann Lee"}}]}}
            """)
    }

    private func update(_ name: String, _ old: String, _ new: String) -> String {
        "{\"name\": \"\(name)\", \"oldObjectId\": \"\(old)\", \"newObjectId\": \"\(new)\"}"
    }

    @Test func isToldByItsBodyOrBasic() {
        #expect(host.sent(push("")))
        #expect(host.sent(inbound("{}", "Basic eDp5")))
        #expect(!host.sent(inbound("{\"event\": 1}")))
        #expect(!host.sent(inbound("{}", "Bearer x")))
        // Only the beginning is looked at.
        #expect(!host.sent(inbound(String(repeating: " ", count: 5000) + "{\"eventType\": \"git.push\"}")))
    }

    @Test(arguments: [
        (#"{"id": "e1", "eventType": "git.push"}"#, "e1"),
        ("{\n  \"notificationId\" : 3,\n  \"id\" : \"e2\",", "e2"),
        // a repository's own is none of the event's
        (#"{"eventType": "git.push", "resource": {"id": "r"}}"#, nil), (#"{"a": "id", "b": "x"}"#, nil),
        (#"{"a": "\"id\": \"x\"", "b": 1}"#, nil), (#"{"id": 5}"#, nil), (#"{"id": ""}"#, nil), (#"{"id": "e"#, nil),
        ("", nil),
    ])
    func delivery(body: String, id: String?) {
        #expect(host.delivery(inbound(body)) == id)
    }

    @Test func severalUpdatesAreSeveralPushesAndZerosADeletion() throws {
        let webhook = try host.read(
            push(
                [
                    update("refs/heads/main", old, new), update("refs/heads/new", zero, old),
                    update("refs/heads/gone", old, zero), update("refs/tags/gone", old, zero),
                    update("refs/notes/x", old, new),
                ].joined(separator: ","), repository: "{\"defaultBranch\": \"refs/heads/main\"}"))
        #expect(
            webhook.pushes == [
                Push(
                    ref: try RefName(.branch, "main"), commit: try CommitID(new), before: try CommitID(old),
                    message: "Sell", author: "Ann Lee", defaultBranch: "main"),
                Push(ref: try RefName(.branch, "new"), commit: try CommitID(old), defaultBranch: "main"),
            ])
        #expect(webhook.reasons.count == 3 && webhook.reasons[1] == "tag \"gone\" was deleted; its images stay")
    }

    @Test func aTagsObjectIsNotTakenForACommit() throws {
        let webhook = try host.read(push(update("refs/tags/v1", old, new)))
        #expect(webhook.pushes.map(\.ref.text) == ["refs/tags/v1"])
        #expect(webhook.pushes.first?.commit == nil && webhook.pushes.first?.before == nil)
    }

    @Test(arguments: [
        #"{"eventType": "git.push"}"#, #"{"eventType": "git.push", "resource": null}"#,
        #"{"eventType": "git.push", "resource": {"pushId": 14, "url": "https://dev.azure.com/x"}}"#,
    ])
    func fewDetailsHaveAReasonThatSaysWhatToSet(body: String) throws {
        let webhook = try host.read(inbound(body))
        #expect(
            webhook.pushes.isEmpty && webhook.reasons.first?.contains("\"Resource details to send\" to All") == true)
    }

    @Test func otherEventsAndEmptyPushesHaveReasons() throws {
        let built = try host.read(
            inbound(#"{"eventType": "build.complete", "resource": {"commits": 5}}"#.replacing("5", with: "[]")))
        #expect(built.event == "build.complete" && built.reasons.count == 1)
        #expect(try host.read(push("")).reasons == ["the push changed no branch and no tag"])
    }

    @Test(arguments: [
        (
            #"{"name": "shop", "project": {"name": "Big Sale"}, "remoteUrl": "https://acme@dev.azure.com/acme/Big%20Sale/_git/shop"}"#,
            [
                "https://dev.azure.com/acme/Big%20Sale/_git/shop", "git@ssh.dev.azure.com:v3/acme/Big%20Sale/shop",
            ]
        ),
        (
            #"{"name": "shop", "project": {"name": "sale"}, "remoteUrl": "https://acme.visualstudio.com/DefaultCollection/sale/_git/shop"}"#,
            [
                "https://acme.visualstudio.com/DefaultCollection/sale/_git/shop",
                "https://dev.azure.com/acme/sale/_git/shop", "git@ssh.dev.azure.com:v3/acme/sale/shop",
            ]
        ),
        // a server of one's own
        (
            #"{"name": "shop", "project": {"name": "sale"}, "remoteUrl": "http://tfs.example.com:8080/tfs/C/sale/_git/shop"}"#,
            ["http://tfs.example.com:8080/tfs/C/sale/_git/shop"]
        ),
        (#"{"name": "shop"}"#, []),
    ])
    func addresses(repository: String, addresses: [String]) throws {
        #expect(try host.read(push("", repository: repository)).addresses == addresses)
    }

    @Test(arguments: [
        ("{}", "\"eventType\" is missing"), ("[]", "is of another type"),
        (#"{"eventType": "git.push", "resource": {"refUpdates": [{}]}}"#, "name\" is missing"),
        (
            #"{"eventType": "git.push", "resource": {"refUpdates": [{"name": "refs/heads/x", "newObjectId": "1"}]}}"#,
            "not a commit id"
        ),
    ])
    func unreadableBodiesNameTheField(body: String, reason: String) {
        let error = #expect(throws: IntakeError.self) { try host.read(inbound(body)) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
    }

    @Test func thePasswordIsASecretOfTheRepository() throws {
        let trust = Trust(owner: "acme/shop", secrets: [Secret("secret")], topics: [])
        try host.verify(inbound("{}", "Basic " + Data("slipway:secret".utf8).base64EncodedString()), trust)
        for wrong in [nil, "Basic " + Data("secret:wrong".utf8).base64EncodedString(), "secret"] {
            let sent = inbound("{}", wrong)
            let error = #expect(throws: IntakeError.self) { try host.verify(sent, trust) }
            #expect(error?.description.contains("secret:") == false)
        }
    }
}
