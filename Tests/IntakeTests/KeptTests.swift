import Foundation
import Queue
import Testing

@testable import Intake

/// What is kept of a request.
@Suite struct KeptTests {
    // MARK: Headers

    @Test(arguments: [
        "Authorization", "proxy-authorization", "Cookie", "X-Gitlab-Token", "PRIVATE-TOKEN", "X-My-Secret", "X-Api-Key",
        "X-Some-Password", "X-Hub-Signature", "X-Hub-Signature-256", "X-Gitea-Signature", "X-Gogs-Signature",
        "X-Forgejo-Signature", "webhook-signature", "X-Amz-Content-Signature", "X-Amz-Security-Token",
        // addresses of proxies, which may hold a trigger's token
        "X-Original-URI", "X-Forwarded-Uri", "X-Original-URL", "X-Envoy-Original-Path", "Referer",
    ])
    func secretsAreMasked(name: String) {
        let kept = KeptHeaders.of([Header(name: name, value: "hush"), Header(name: "Accept", value: "*/*")])
        #expect(kept == [Header(name: name, value: "•••"), Header(name: "Accept", value: "*/*")])
    }

    /// Without these a delivery can't be read again or be told apart.
    @Test(arguments: [
        "X-GitHub-Event", "X-GitHub-Delivery", "X-Event-Key", "Idempotency-Key", "X-Hook-UUID", "webhook-id",
        "webhook-timestamp", "x-amz-sns-message-type", "Content-Type", "User-Agent", "X-Forwarded-For",
    ])
    func whatTellsTheEventStays(name: String) {
        let header = Header(name: name, value: "repo:push")
        #expect(KeptHeaders.of([header]) == [header])
    }

    @Test func atMostSixtyFour() {
        let headers = (0..<100).map { Header(name: "X-\($0)", value: "v") }
        #expect(KeptHeaders.of(headers) == Array(headers.prefix(64)))
    }

    @Test func inAllTheyAreBounded() {
        let headers = (10..<60).map { Header(name: "X-\($0)", value: String(repeating: "v", count: 1000)) }
        let kept = KeptHeaders.of(headers)
        #expect(kept == Array(headers.prefix(8)))
        #expect(KeptHeaders.of(kept) == kept)
    }

    @Test(arguments: ["a", "é", "€", "😀", "x😀", "xx€", "xé"])
    func longValuesAreCutBetweenCharacters(piece: String) {
        let long = String(repeating: piece, count: 1025)
        let value = KeptHeaders.of([Header(name: "User-Agent", value: long)])[0].value
        #expect(value.hasSuffix("…"))
        #expect(long.hasPrefix(value.dropLast()))
        #expect((1020...1024).contains(value.utf8.count))
        #expect(KeptHeaders.of([Header(name: "User-Agent", value: value)])[0].value == value)
    }

    // MARK: Bodies

    @Test(
        arguments: [
            // Gitea of old, wherever the field stands and whatever is in it
            ("{\"secret\":\"hush\",\"ref\":\"x\"}", "{\"secret\":\"•••\",\"ref\":\"x\"}"),
            ("{\n  \"secret\" :\r\n\t\"hu\\\"sh\\\\\",\n \"ref\": 1}", "{\n  \"secret\" :\r\n\t\"•••\",\n \"ref\": 1}"),
            ("{\"hook\":{\"secret\":\"a%22b\"}}", "{\"hook\":{\"secret\":\"•••\"}}"),
            ("[{\"secret\":\"a\"},{\"secret\":\"b\"}]", "[{\"secret\":\"•••\"},{\"secret\":\"•••\"}]"),
            // cut in the middle
            ("{\"secret\":\"hus", "{\"secret\":\"•••"), ("{\"secret\":\"hus\\", "{\"secret\":\"•••"),
            // the same in a form
            (
                "payload=%7B%22secret%22%3A%22hush%22%2C%22ref%22%3A%22x%22%7D",
                "payload=%7B%22secret%22%3A%22%E2%80%A2%E2%80%A2%E2%80%A2%22%2C%22ref%22%3A%22x%22%7D"
            ),
            (
                "payload=%7B%0A++%22secret%22%3a+%22hu%5C%22sh+%22%7D",
                "payload=%7B%0A++%22secret%22%3a+%22%E2%80%A2%E2%80%A2%E2%80%A2%22%7D"
            ),
            // Amazon SNS
            (
                "{\"Type\":\"SubscriptionConfirmation\",\"Token\":\"t\",\"SubscribeURL\":\"https://a/?Token=t\"}",
                "{\"Type\":\"SubscriptionConfirmation\",\"Token\":\"•••\",\"SubscribeURL\":\"•••\"}"
            ),
            ("{\"Message\":\"m\",\"UnsubscribeURL\":\"https://a\"}", "{\"Message\":\"m\",\"UnsubscribeURL\":\"•••\"}"),
        ])
    func secretsOfBodiesAreMasked(body: String, kept: String) {
        #expect(text(KeptBody.of(Data(body.utf8))) == kept)
        #expect(KeptBody.isMasked(Data(kept.utf8)))
        #expect(text(KeptBody.of(Data(kept.utf8))) == kept)
    }

    @Test(arguments: [
        "", "{}", "secret", "{\"secret\"", "{\"secret\":", "{\"secret\":\"", "{\"secret\":\"\"}", "{\"secret\":null}",
        "{\"secret\":12}", "{\"name\":\"secret\",\"x\":\"y\"}", "{\"a secret\":\"x\"}", "{\"secrets\":\"x\"}",
        // within a text
        "{\"message\":\"say \\\"secret\\\":\\\"x\\\"\"}", "{\"Token\":\"of somebody else\"}",
        "payload=%7B%22message%22%3A%22%5C%22secret%5C%22%3A%5C%22x%5C%22%22%7D", "payload=%7B%22secret%22%3",
        "secret=x&%secret%", "{\"ref\":\"refs/heads/subscribeURL\"}",
    ])
    func allElseStays(body: String) {
        #expect(text(KeptBody.of(Data(body.utf8))) == body)
    }

    @Test func bodiesThatBeginInTheMiddleOfTheirData() {
        let whole = Data("??{\"secret\":\"hush\"}".utf8)
        #expect(text(KeptBody.of(whole.dropFirst(2))) == "{\"secret\":\"•••\"}")
    }

    private func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }
}
