import Foundation
import Model
import Queue
import TestSupport
import Testing

@testable import Intake

/// Needs the program `openssl`, which makes the key that signs here for Amazon's.
@Suite(.enabled(if: Command.path(of: "openssl") != nil, "the program openssl is missing"))
struct AmazonSNSTests {
    private let trust = Trust(owner: "acme/shop", secrets: [], topics: ["arn:aws:sns:eu-west-1:1:other", SNSTopic.arn])

    /// That the message is turned away, with this in the sentence, and without a question to anybody.
    private func refused(
        _ inbound: Inbound, _ reason: String, trust: Trust? = nil, location: SourceLocation = #_sourceLocation
    ) async throws {
        let amazon = Amazon((200, try await SNSTopic.shared.certificate))
        let host = CodeCommit(fetch: amazon.fetch)
        let error = await #expect(throws: IntakeError.self, sourceLocation: location) {
            try await host.verify(inbound, trust ?? self.trust)
        }
        guard case .unauthenticated(let sentence) = error else {
            Issue.record("\(String(describing: error))", sourceLocation: location)
            return
        }
        #expect(sentence.contains(reason), sourceLocation: location)
        #expect(amazon.asked.isEmpty, sourceLocation: location)
    }

    @Test(arguments: ["1", "2"])
    func signaturesOfBothVersionsProve(version: String) async throws {
        let topic = try await SNSTopic.shared
        let amazon = Amazon((200, topic.certificate))
        let host = CodeCommit(fetch: amazon.fetch)
        try await host.verify(topic.message(version: version), trust)
        try await host.verify(topic.message(["Subject": "UPDATE: pushes\nof ünits"], version: version), trust)
        try await host.verify(topic.confirmation(version: version), trust)
        #expect(amazon.asked == [SNSTopic.address])
    }

    @Test func chinasHostEndsOtherwise() async throws {
        let topic = try await SNSTopic.shared
        let arn = "arn:aws-cn:sns:cn-north-1:123456789012:pushes"
        let address = "https://sns.cn-north-1.amazonaws.com.cn/x.pem"
        let china = Trust(owner: "acme/shop", secrets: [], topics: [arn])
        let amazon = Amazon((200, topic.certificate))
        try await CodeCommit(fetch: amazon.fetch).verify(
            topic.message(["TopicArn": arn], altered: ["SigningCertURL": address]), china)
        #expect(amazon.asked == [address])
        let elsewhere = ["SigningCertURL": "https://sns.cn-north-1.amazonaws.com/x.pem"]
        try await refused(topic.message(["TopicArn": arn], altered: elsewhere), "was not asked", trust: china)
    }

    @Test(arguments: [
        "http://sns.eu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com.evil.test/x.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/x.pem", "https://sns.eu-west-1.amazonaws.com:443@evil.test/x.pem",
        "https://user@sns.eu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com@evil.test/x.pem",
        "https://evil.test/sns.eu-west-1.amazonaws.com/x.pem", "https://evil.test/#sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com\\@evil.test/x.pem", "https://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.amazonaws.com/x.pem", "https://sns-eu-west-1.amazonaws.com/x.pem",
        "https://s3.eu-west-1.amazonaws.com/x.pem", "https://sns.eu-west-1.amazonaws.com.cn/x.pem",
        "https://sns.eu-west-1.amazonaws.com./x.pem", "HTTPS://SNS.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.txt", "https://sns.eu-west-1.amazonaws.com/?x.pem",
        "https://sns.eu-west-1.amazonaws.com/x.pem?a=b", "https://sns.eu-west-1.amazonaws.com/x#.pem",
        "//sns.eu-west-1.amazonaws.com/x.pem", "https://", "", " https://sns.eu-west-1.amazonaws.com/x.pem",
    ])
    func certificatesOfOtherAddressesAreNotAskedFor(address: String) async throws {
        let message = try await SNSTopic.shared.message(altered: ["SigningCertURL": address])
        try await refused(message, "was not asked")
    }

    @Test func onlyTheTopicsOfTheSettingsCount() async throws {
        let topic = try await SNSTopic.shared
        let message = try await topic.message()
        try await refused(
            message, "has no sns_topic", trust: Trust(owner: "acme/shop", secrets: [Secret("x")], topics: []))
        let theirs = "arn:aws:sns:eu-west-1:666666666666:pushes"
        try await refused(topic.message(["TopicArn": theirs]), "is not the sns_topic of acme/shop")
    }

    /// Before it is read, since that takes a multiple of its length and nothing is proved yet.
    @Test func longMessagesAreRefused() async throws {
        let message = try await SNSTopic.shared.message()
        let spaces = Data(repeating: UInt8(ascii: " "), count: SNSMessage.longest - message.body.count)
        func verify(_ body: Data) async throws {
            let amazon = Amazon((200, try await SNSTopic.shared.certificate))
            let inbound = Inbound(
                headers: message.headers, body: body, remoteAddress: "192.0.2.1", receivedAt: message.receivedAt)
            try await CodeCommit(fetch: amazon.fetch).verify(inbound, trust)
        }
        try await verify(message.body + spaces)
        let error = await #expect(throws: IntakeError.self) { try await verify(message.body + spaces + Data(" ".utf8)) }
        #expect(error?.description.contains("1048577 bytes") == true, "\(error?.description ?? "none")")
    }

    @Test func whatWasNotSignedIsRefused() async throws {
        let topic = try await SNSTopic.shared
        let header = Header(name: "x-amz-sns-rawdelivery", value: "true")
        try await refused(topic.message(headers: [header]), "raw message")
        try await refused(topic.message(altered: ["Type": "SubscriptionConfirmation"]), "x-amz-sns-message-type")
        try await refused(topic.message(["Type": "Something"]), "which nobody knows")
        try await refused(topic.message(altered: ["SignatureVersion": "3"]), "1 and 2 are known")
        try await refused(topic.message(altered: ["Signature": "%"]), "base64")
    }

    @Test(arguments: [
        ["Message": "{\"Records\": [] }"], ["MessageId": "e2"], ["Timestamp": "2026-11-21T02:43:08.121Z"],
        ["Subject": "none was signed"], ["Signature": "AAAA"], ["Signature": ""],
        // The algorithm is the signer's, not the sender's.
        ["SignatureVersion": "1"],
    ])
    func alteredMessagesAreRefused(altered: [String: String]) async throws {
        let topic = try await SNSTopic.shared
        let host = CodeCommit(fetch: Amazon((200, topic.certificate)).fetch)
        let message = try await topic.message(altered: altered)
        let error = await #expect(throws: IntakeError.self) { try await host.verify(message, trust) }
        #expect(error?.description.contains("Signature is not Amazon's") == true)
    }

    @Test(arguments: [-2.0, 31])
    func certificatesCountOnlyWhileTheyAreValid(days: Double) async throws {
        let topic = try await SNSTopic.shared
        let host = CodeCommit(fetch: Amazon((200, topic.certificate)).fetch)
        // Known from before makes no difference.
        try await host.verify(topic.message(), trust)
        let message = try await topic.message(receivedAt: Date() + days * 86400)
        let error = await #expect(throws: IntakeError.self) { try await host.verify(message, trust) }
        #expect(error?.description.contains("is valid only from") == true)
    }

    @Test func aRedirectOrAnotherAnswerIsNoCertificate() async throws {
        let topic = try await SNSTopic.shared
        let amazon = Amazon((302, topic.certificate), (200, Data("<html>".utf8)), (200, topic.certificate))
        let host = CodeCommit(fetch: amazon.fetch)
        let message = try await topic.message()
        for status in [302, 200] {
            let error = await #expect(throws: IntakeError.self) { try await host.verify(message, trust) }
            guard case .sourceSilent(let sentence) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(sentence.contains("it answered \(status)"))
        }
        // Nothing of it is remembered.
        try await host.verify(message, trust)
        #expect(amazon.asked.count == 3)
    }

    @Test func manyAtOnceAskOnce() async throws {
        let topic = try await SNSTopic.shared
        let amazon = Amazon((200, topic.certificate))
        let host = CodeCommit(fetch: amazon.fetch)
        let message = try await topic.message()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { try await host.verify(message, trust) } }
            try await group.waitForAll()
        }
        #expect(amazon.asked.count == 1)
    }

    @Test func fewCertificatesAreAskedForAtOnce() async throws {
        let topic = try await SNSTopic.shared
        let (asked, askedNow) = AsyncStream<Void>.makeStream()
        let (answers, answerNow) = AsyncStream<Void>.makeStream()
        let host = CodeCommit { url in
            if url.lastPathComponent == "5.pem" { return (500, Data()) }
            askedNow.yield()
            // Until the stream is finished.
            for await _ in answers {}
            return (200, topic.certificate)
        }
        func message(_ number: Int) async throws -> Inbound {
            let address = "https://sns.eu-west-1.amazonaws.com/\(number).pem"
            return try await topic.message(altered: ["SigningCertURL": address])
        }
        let fifth = try await message(5)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { answerNow.finish() }
            for number in 1...4 {
                let message = try await message(number)
                group.addTask { try await host.verify(message, trust) }
            }
            var waiting = asked.makeAsyncIterator()
            for _ in 1...4 { await waiting.next() }
            let error = await #expect(throws: IntakeError.self) { try await host.verify(fifth, trust) }
            #expect(error?.description.contains("too many certificates") == true)
            answerNow.finish()
            try await group.waitForAll()
        }
    }

    @Test func aSubscriptionIsConfirmedAtAmazonOnce() async throws {
        let topic = try await SNSTopic.shared
        let amazon = Amazon((200, Data("<ConfirmSubscriptionResponse/>".utf8)))
        let webhook = try await CodeCommit(fetch: amazon.fetch).read(topic.confirmation())
        #expect(amazon.asked == [SNSTopic.subscribe])
        #expect(webhook.reasons == ["the subscription to \(SNSTopic.arn) is confirmed"])
        #expect(webhook.pushes.isEmpty && webhook.event == "SubscriptionConfirmation")
    }

    @Test func whatAmazonHasAgainstAConfirmationIsTold() async throws {
        let amazon = Amazon((403, Data("<Code>AuthorizationError</Code>".utf8)))
        let message = try await SNSTopic.shared.confirmation()
        let error = await #expect(throws: IntakeError.self) { try await CodeCommit(fetch: amazon.fetch).read(message) }
        guard case .sourceSilent(let sentence) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(sentence.contains("403: <Code>AuthorizationError</Code>") && !sentence.contains("2336412f37"))
    }

    @Test(arguments: [
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com.evil.test/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com/?Action=Publish", "https://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com/x?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Action=Publish",
        "https://sns.eu-west-1.amazonaws.com:80/?Action=ConfirmSubscription",
    ])
    func nothingElseIsConfirmed(subscribe: String) async throws {
        let amazon = Amazon((200, Data()))
        let message = try await SNSTopic.shared.confirmation(subscribe: subscribe)
        let error = await #expect(throws: IntakeError.self) { try await CodeCommit(fetch: amazon.fetch).read(message) }
        #expect(error?.description.contains("SubscribeURL") == true)
        #expect(amazon.asked.isEmpty)
    }

    @Test func redirectsAreNotFollowedAndAnswersAreBounded() async throws {
        let server = try ScriptedServer { request in
            switch request.target {
            case "/redirect": .answer(302, [("Location", "/elsewhere")], "moved")
            case "/long": .answer(200, [], String(repeating: "x", count: 65 << 10))
            default: .answer(200, [], "here")
            }
        }
        defer { server.stop() }
        func get(_ path: String) async throws -> (status: Int, body: Data) {
            try await AmazonWeb.get(#require(URL(string: "http://\(server.host)\(path)")))
        }
        let redirect = try await get("/redirect")
        #expect(redirect.status == 302)
        #expect(server.requests.map(\.target) == ["/redirect"])
        let here = try await get("/")
        #expect(here.status == 200 && here.body == Data("here".utf8))
        let long = await #expect(throws: IntakeError.self) { try await get("/long") }
        #expect(long?.description.contains("more than 65536 bytes") == true)
        let silent = try #require(URL(string: "http://127.0.0.1:\(FreePort.pick())/?Token=2336412f37"))
        let error = await #expect(throws: IntakeError.self) { try await AmazonWeb.get(silent) }
        #expect(error?.description.contains("could not be asked") == true)
        #expect(error?.description.contains("2336412f37") == false)
    }
}
