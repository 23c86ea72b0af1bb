import Foundation
import Model
import Queue
import Testing

@testable import Intake

@Suite struct CodeCommitTests {
    private let amazon = Amazon((500, Data()))
    private var host: CodeCommit { CodeCommit(fetch: amazon.fetch) }
    private let old = String(repeating: "a", count: 40)
    private let new = String(repeating: "b", count: 40)
    private static let arn = "arn:aws:codecommit:eu-west-1:123456789012:shop"

    /// As Amazon sends it, with a text of no worth for its signature.
    private func inbound(_ message: String, type: String = "Notification") throws -> Inbound {
        let body = [
            "Type": type, "MessageId": "e1", "TopicArn": SNSTopic.arn, "Message": message,
            "Timestamp": "2026-11-21T02:43:08.120Z", "SignatureVersion": "2", "Signature": "",
            "SigningCertURL": SNSTopic.address,
        ]
        return Inbound(
            headers: [
                Header(name: "X-Amz-Sns-Message-Type", value: type), Header(name: "X-Amz-Sns-Message-Id", value: "e1"),
            ], body: try JSONEncoder().encode(body), remoteAddress: "192.0.2.1", receivedAt: Date())
    }

    private func records(_ references: String, arn: String = arn) -> String {
        """
        {"eventSource": "aws:codecommit", "eventSourceARN": "\(arn)", "codecommit": {"references": [\(references)]}}
        """
    }

    private func event(_ detail: String, type: String = "CodeCommit Repository State Change") -> String {
        "{\"detail-type\": \"\(type)\", \"source\": \"aws.codecommit\", \"resources\": [\"\(Self.arn)\"], \"detail\": \(detail)}"
    }

    @Test func isToldByAmazonsHeader() throws {
        let message = try inbound("")
        #expect(host.sent(message) && host.delivery(message) == "e1")
        #expect(!host.sent(Inbound(headers: [], body: Data(), remoteAddress: "192.0.2.1", receivedAt: Date())))
    }

    @Test func aTriggersReferencesArePushes() async throws {
        let webhook = try await host.read(
            inbound(
                "{\"Records\": ["
                    + records(
                        """
                        {"ref": "refs/heads/main", "commit": "\(new)"},
                        {"ref": "refs/heads/new", "commit": "\(old)", "created": true},
                        {"ref": "refs/heads/gone", "commit": "\(old)", "deleted": true},
                        {"ref": "refs/heads/away", "deleted": true},
                        {"ref": "refs/tags/v1", "commit": "\(new)", "created": true}
                        """) + "]}"))
        #expect(
            webhook.pushes == [
                Push(ref: try RefName(.branch, "main"), commit: try CommitID(new)),
                Push(ref: try RefName(.branch, "new"), commit: try CommitID(old)),
                // What a tag's id is of is not said.
                Push(ref: try RefName(.tag, "v1")),
            ])
        #expect(webhook.reasons.map { $0.hasSuffix("was deleted; its images stay") } == [true, true])
        #expect(
            webhook.addresses == [
                "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop",
                "ssh://git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop", "codecommit::eu-west-1://shop",
            ])
        #expect(amazon.asked.isEmpty)
    }

    @Test func recordsOfAnotherRepositoryAreNotMixedIn() async throws {
        let main = "{\"ref\": \"refs/heads/main\", \"commit\": \"\(new)\"}"
        let other = "arn:aws:codecommit:eu-west-1:123456789012:other"
        let webhook = try await host.read(
            inbound("{\"Records\": [{\"s3\": {}}, \(records(main)), \(records(main, arn: other))]}"))
        #expect(webhook.pushes.count == 1 && webhook.reasons.count == 2)
        #expect(webhook.addresses.last == "codecommit::eu-west-1://shop")
    }

    @Test func chinasAddressesEndOtherwise() async throws {
        let arn = "arn:aws-cn:codecommit:cn-north-1:123456789012:shop"
        let webhook = try await host.read(inbound("{\"Records\": [\(records("", arn: arn))]}"))
        #expect(webhook.addresses.first == "https://git-codecommit.cn-north-1.amazonaws.com.cn/v1/repos/shop")
        #expect(webhook.reasons == ["the push changed no branch and no tag"])
    }

    @Test func eventBridgesChangesArePushes() async throws {
        let updated = try await host.read(
            inbound(
                event(
                    """
                    {"event": "referenceUpdated", "repositoryName": "shop", "referenceType": "branch",
                     "referenceFullName": "refs/heads/main", "commitId": "\(new)", "oldCommitId": "\(old)"}
                    """)))
        #expect(
            updated.pushes == [
                Push(ref: try RefName(.branch, "main"), commit: try CommitID(new), before: try CommitID(old))
            ])
        #expect(updated.event == "referenceUpdated" && updated.addresses.last == "codecommit::eu-west-1://shop")
        let tag = try await host.read(
            inbound(
                event(
                    "{\"event\": \"referenceCreated\", \"referenceFullName\": \"refs/tags/v1\", \"commitId\": \"\(new)\"}"
                )))
        #expect(tag.pushes == [Push(ref: try RefName(.tag, "v1"))])
        let gone = try await host.read(
            inbound(event("{\"event\": \"referenceDeleted\", \"referenceFullName\": \"refs/heads/gone\"}")))
        #expect(gone.pushes.isEmpty && gone.reasons == ["branch \"gone\" was deleted; its images stay"])
    }

    @Test(arguments: [
        ("Hello from SNS!", "no event of CodeCommit"), ("", "no event of CodeCommit"), ("{}", "no push of CodeCommit"),
        ("{\"detail-type\": \"CodeCommit Pull Request State Change\", \"detail\": {\"event\": \"x\"}}", "no push"),
        (
            "{\"detail-type\": \"CodeCommit Repository State Change\", \"detail\": {\"event\": \"unreferencedMergeCommitCreated\"}}",
            "only changes of references"
        ),
    ])
    func otherMessagesHaveAReason(message: String, reason: String) async throws {
        let webhook = try await host.read(inbound(message))
        #expect(webhook.pushes.isEmpty && webhook.reasons.first?.contains(reason) == true)
    }

    @Test func theEndOfASubscriptionHasAReason() async throws {
        let webhook = try await host.read(inbound("You have chosen", type: "UnsubscribeConfirmation"))
        #expect(webhook.reasons.first?.contains("has ended") == true && amazon.asked.isEmpty)
        let unknown = try await host.read(inbound("", type: "Something"))
        #expect(unknown.reasons.first?.contains("\"Something\"") == true)
    }

    @Test(arguments: [
        (
            "{\"Records\": 5}",
            "\"Message\" can't be read: the body is not an event of CodeCommit: \"Records\" is of another"
        ),
        ("{\"Records\": [", "\"Message\" can't be read"),
        ("{\"Records\": [{\"codecommit\": {\"references\": [{}]}}]}", "ref\" is missing"),
        (
            "{\"Records\": [{\"codecommit\": {\"references\": [{\"ref\": \"refs/heads/x\", \"commit\": \"1\"}]}}]}",
            "not a commit id"
        ),
        (
            "{\"detail-type\": \"CodeCommit Repository State Change\", \"detail\": {\"event\": \"referenceUpdated\"}}",
            "\"detail.referenceFullName\" is missing"
        ),
    ])
    func unreadableMessagesNameTheField(message: String, reason: String) async throws {
        let error = await #expect(throws: IntakeError.self) { try await host.read(inbound(message)) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
    }

    @Test(arguments: [
        ("{}", "\"Type\" is missing"), ("Hello", "not JSON"), ("{\"Type\": 1}", "\"Type\" is of another"),
    ])
    func bodiesThatAreNoMessageNameTheField(body: String, reason: String) async throws {
        let sent = Inbound(
            headers: [Header(name: "x-amz-sns-message-type", value: "Notification")], body: Data(body.utf8),
            remoteAddress: "192.0.2.1", receivedAt: Date())
        let error = await #expect(throws: IntakeError.self) { try await host.read(sent) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
    }

    /// The samples hold what a topic's subscribers get by other ways than HTTP, so they are put into a message here.
    @Test(.enabled(if: samples != nil, "the folder of real webhooks is missing"))
    func realEventsAreRead() async throws {
        let samples = try #require(samples)
        let inner = try String(
            decoding: Data(contentsOf: samples.appending(path: "trigger-event-inner-1.json")), as: UTF8.self)
        let webhook = try await host.read(inbound(inner))
        #expect(webhook.pushes.map(\.ref.text) == ["refs/heads/master"])
        #expect(webhook.pushes.map(\.commit?.text) == ["ee36dc002055a40d9660b2bb19fd8d6ef2d77cd0"])
        #expect(webhook.addresses.first == "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/cicd-mgmt")
        struct Lambda: Decodable {
            struct Record: Decodable {
                struct Message: Decodable { var Message: String }
                var Sns: Message
            }
            var Records: [Record]
        }
        let lambda = try JSONDecoder().decode(
            Lambda.self, from: Data(contentsOf: samples.appending(path: "sns-event-lambda-1.json")))
        let test = try await host.read(inbound(try #require(lambda.Records.first).Sns.Message))
        #expect(test.pushes.isEmpty && test.reasons == ["the message is no event of CodeCommit"])
    }
}

/// The folder of real CodeCommit events beside the project; nil where it is missing.
private let samples: URL? = {
    let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let folder = project.appending(path: "../shared/webhooks/aws-codecommit").standardized
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
}()
