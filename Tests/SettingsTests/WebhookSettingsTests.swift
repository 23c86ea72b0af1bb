import Foundation
import Model
import Settings
import Testing

/// What proves webhooks.
@Suite struct WebhookSettingsTests {
    private let environment = ["OLD": "the-secret-until-now", "NEW": "the-secret-from-now"]
    private let topic = "arn:aws:sns:eu-central-1:123456789012:pushes"

    @Test func aRepositoryHasSecretsAndTopicsOfItsOwn() throws {
        let lines = "webhook_secret: [{env: OLD}, {env: NEW}]\nsns_topic: \(topic)"
        let settings = try read(repository(lines), environment: environment)
        let found = settings.repositories[0]
        #expect(found.webhookSecrets == [Secret("the-secret-until-now"), Secret("the-secret-from-now")])
        #expect(found.snsTopics == [topic] && found.verifiesWebhooks)
        #expect(settings.webhookSecrets.isEmpty && settings.snsTopics.isEmpty)
    }

    @Test func aWholeGitHostHasThemToo() throws {
        let other = "arn:aws-us-gov:sns:us-gov-west-1:000000000000:All_of-them"
        let text = "webhook_secret: {env: NEW}\nsns_topic: [\(topic), \(other)]\n" + repository("")
        let settings = try read(text, environment: environment)
        #expect(settings.webhookSecrets == [Secret("the-secret-from-now")])
        #expect(settings.snsTopics == [topic, other])
        #expect(settings.repositories[0].webhookSecrets.isEmpty && settings.repositories[0].snsTopics.isEmpty)
    }

    @Test func aSigningTokenStaysAsItIsWritten() throws {
        let token = "whsec_" + Data((0..<32).map { UInt8($0) }).base64EncodedString()
        let text = repository("webhook_secret: {env: T}")
        #expect(try read(text, environment: ["T": token + "\n"]).repositories[0].webhookSecrets == [Secret(token)])
        #expect(try warnings(text, environment: ["T": token]) == [])
    }

    @Test(arguments: ["whsec_", "whsec_not base64", "whsec_MDEyMzQ1Njc4OWFiY2RlZg", "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="])
    func aSigningTokenIsBase64(_ token: String) {
        let fault =
            "whsec_ as signing tokens do (Standard Webhooks, GitLab), but what follows is not base64; copy it whole, with any \"=\" at its end"
        let isGood = token.hasSuffix("==")
        for (text, place) in [
            (repository("webhook_secret: {env: T}"), "5:21"), ("webhook_secret: [{env: T}]", "1:18"),
        ] {
            #expect(
                faults(text, environment: ["T": token])
                    == (isGood ? [] : ["\(place): webhook_secret begins with \(fault)"]))
        }
    }

    @Test(arguments: [
        // an account's number, the name, another service, a subscription, a FIFO topic
        "arn:aws:sns:eu-central-1:12345:pushes", "arn:aws:sns:eu-central-1:123456789012:",
        "arn:aws:sqs:eu-central-1:123456789012:pushes", "arn:aws:sns:eu-central-1:123456789012:pushes:1-2-3",
        "arn:aws:sns:eu-central-1:123456789012:pushes.fifo", "pushes",
    ])
    func noTopic(_ written: String) {
        let fault =
            "\"\(written)\" is not the ARN of an Amazon SNS topic: arn:aws:sns:eu-central-1:123456789012:pushes is"
        #expect(faults(repository("sns_topic: '\(written)'")) == ["5:16: \(fault)"])
        #expect(faults("sns_topic: ['\(written)']") == ["1:13: \(fault)"])
    }

    @Test func onlyItsOwnWordTurnsVerificationOff() throws {
        let open = try read(repository("verify_webhooks: false")).repositories[0]
        #expect(!open.verifiesWebhooks)
        for closed in ["", "verify_webhooks: true", "webhook_secret: []"] {
            #expect(try read(repository(closed)).repositories[0].verifiesWebhooks)
        }
        #expect(
            faults(repository("verify_webhooks: never")) == ["5:22: verify_webhooks is \"never\"; write true or false"])
    }

    @Test func whatIsThenNotLookedAtIsTold() throws {
        let lines = "webhook_secret: {env: NEW}\nverify_webhooks: no\nsns_topic: \(topic)"
        #expect(
            try warnings(repository(lines), environment: environment) == [
                "5:5: webhook_secret is not looked at, since verify_webhooks is false",
                "6:22: verify_webhooks is false: webhooks of anybody who knows the address are taken, and each can start builds",
                "7:5: sns_topic is not looked at, since verify_webhooks is false",
            ])
    }
}
