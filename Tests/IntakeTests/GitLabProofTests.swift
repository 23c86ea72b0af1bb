import Foundation
import Model
import Platform
import Testing

@testable import Intake

/// GitLab's secret tokens and signing tokens.
@Suite struct GitLabProofTests {
    private static let key = "whsec_" + Data(repeating: 7, count: 32).base64EncodedString()
    private static let otherKey = "whsec_" + Data(repeating: 8, count: 32).base64EncodedString()
    private static let now = 1_700_000_000

    private static func signature(
        by key: String = key, id: String = "msg_1", at time: Int = now, body: String = "{}"
    ) -> String {
        let bytes = Data(base64Encoded: String(key.dropFirst(6))) ?? Data()
        return "v1," + Crypto.hmacSHA256(key: bytes, Data("\(id).\(time).\(body)".utf8)).base64EncodedString()
    }

    private static func signed(_ signature: String, id: String = "msg_1", at time: String = "\(now)") -> [String:
        String]
    {
        ["webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature]
    }

    private func refusal(_ headers: [String: String], _ secrets: String...) async -> String? {
        let trust = Trust(owner: "acme/shop", secrets: secrets.map { Secret($0) }, topics: [])
        return await SignatureTests.refusal(
            GitLab(), .fixture("{}", headers, at: TimeInterval(Self.now)), trust)
    }

    @Test func aSecretTokenIsCompared() async {
        #expect(await refusal(["X-Gitlab-Token": "old"], "new", "old") == nil)
        #expect(await refusal(["X-Gitlab-Token": "Old"], "new", "old")?.contains("X-Gitlab-Token does not fit") == true)
        #expect(await refusal(["X-Gitlab-Token": ""], "old")?.contains("missing or empty") == true)
        #expect(await refusal([:], "old")?.contains("missing or empty") == true)
        #expect(await refusal(["X-Gitlab-Token": "old"])?.contains("no webhook_secret") == true)
    }

    @Test func aSignatureOfAnyKeyIsEnough() async {
        let good = Self.signature()
        #expect(await refusal(Self.signed(good), Self.key) == nil)
        #expect(await refusal(Self.signed(good), Self.otherKey, Self.key) == nil)
        // while keys change, the sender signs with both; versions that nobody knows are passed over
        let both = "v2,\(good.dropFirst(3)) v1a,x \(Self.signature(by: Self.otherKey)) v1,!!! \(good)"
        #expect(await refusal(Self.signed(both), Self.key) == nil)
        #expect(await refusal(Self.signed("v2,\(good.dropFirst(3))"), Self.key)?.contains("holds no v1,") == true)
        #expect(await refusal(Self.signed(String(good.dropFirst(3))), Self.key)?.contains("holds no v1,") == true)
        #expect(await refusal(Self.signed(good), Self.otherKey)?.contains("does not fit") == true)
    }

    @Test(arguments: [
        (signed(signature(id: "msg_2")), "does not fit"), (signed(signature(body: "{} ")), "does not fit"),
        (signed(signature(at: now - 1)), "does not fit"), (signed(signature(), id: ""), "webhook-id is missing"),
        (signed(signature(), at: ""), "webhook-timestamp"), (signed(signature(), at: "now"), "webhook-timestamp"),
        (signed(signature(), at: "9223372036854775807"), "webhook-timestamp"),
        (signed(signature(), at: "-1"), "webhook-timestamp"),
        (signed("v1,"), "does not fit"), (signed(""), "missing or empty"),
    ])
    func allThatIsSignedCounts(headers: [String: String], reason: String) async {
        let sentence = await refusal(headers, Self.key)
        #expect(sentence?.contains(reason) == true, "\(sentence ?? "taken")")
    }

    @Test(arguments: [(-300, true), (300, true), (-301, false), (301, false), (-86_400, false)])
    func theClocksMayBeFiveMinutesApart(apart: Int, isTaken: Bool) async {
        let time = Self.now + apart
        let sentence = await refusal(Self.signed(Self.signature(at: time), at: "\(time)"), Self.key)
        #expect((sentence == nil) == isTaken)
        let clocks = [time, Self.now].map { Timestamp.text(Date(timeIntervalSince1970: TimeInterval($0))) }
        #expect(clocks.filter { sentence?.contains($0) == true }.count == (isTaken ? 0 : 2), "\(sentence ?? "taken")")
    }

    @Test func eitherProofIsEnoughWhereItsKindIsSet() async {
        let good = Self.signed(Self.signature())
        let bad = Self.signed(Self.signature(by: Self.otherKey))
        func with(_ token: String, _ headers: [String: String]) -> [String: String] {
            headers.merging(["X-Gitlab-Token": token]) { $1 }
        }
        #expect(await refusal(with("wrong", good), Self.key, "old") == nil)
        #expect(await refusal(with("old", bad), Self.key, "old") == nil)
        #expect(await refusal(with("wrong", bad), Self.key, "old")?.contains("does not fit") == true)
        // Only the one kind is set: the other proves nothing.
        #expect(await refusal(with("old", bad), Self.key)?.contains("does not fit") == true)
        #expect(await refusal(with("old", [:]), Self.key)?.contains("webhook-signature is missing") == true)
        #expect(await refusal(good, "old")?.contains("no webhook_secret of acme/shop is a signing token") == true)
        // A signing token is not sent, so as a secret token it proves nothing.
        #expect(await refusal(["X-Gitlab-Token": Self.key], Self.key) != nil)
    }

    @Test(arguments: ["whsec_", "whsec_!!!"]) func keysThatAreNone(key: String) async {
        let sentence = await refusal(Self.signed(Self.signature(by: "whsec_")), key)
        #expect(sentence?.contains("is whsec_<base64>") == true, "\(sentence ?? "taken")")
    }
}
