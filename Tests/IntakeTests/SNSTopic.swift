import Foundation
import Queue
import Synchronization
import TestSupport

@testable import Intake

/// A topic of Amazon SNS whose messages a key of the tests' own signs.
final class SNSTopic: Sendable {
    static let arn = "arn:aws:sns:eu-west-1:123456789012:pushes"
    static let address = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
    static let subscribe =
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=\(arn)&Token=2336412f37"

    /// Made once: a key takes its time.
    private static let made = Task { try await SNSTopic() }
    static var shared: SNSTopic { get async throws { try await made.value } }

    private let folder: TemporaryDirectory
    let certificate: Data

    private init() async throws {
        folder = try TemporaryDirectory()
        try await Command.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder["key"], "-out", folder["cert"],
                "-subj", "/CN=sns.amazonaws.com", "-days", "30",
            ])
        certificate = try Data(contentsOf: URL(fileURLWithPath: folder["cert"]))
    }

    /// - Parameters:
    ///   - fields: instead of or beside those of every message.
    ///   - altered: written over the message after it was signed.
    ///   - version: `1` signs with SHA-1, `2` with SHA-256.
    func message(
        _ fields: [String: String] = [:], altered: [String: String] = [:], version: String = "2",
        headers: [Header] = [], receivedAt: Date = Date()
    ) async throws -> Inbound {
        let plain = [
            "Type": "Notification", "MessageId": "e1", "TopicArn": Self.arn, "Message": "{\"Records\": []}",
            "Timestamp": "2026-11-21T02:43:08.120Z",
        ]
        let signed = plain.merging(fields) { $1 }
        let text = signed.sorted { $0.key < $1.key }.map { "\($0.key)\n\($0.value)\n" }.joined()
        let output = "signature-\(UUID().uuidString)"
        try await Command.run(
            "openssl",
            ["dgst", version == "1" ? "-sha1" : "-sha256", "-sign", folder["key"], "-out", folder[output]],
            input: Data(text.utf8))
        let signature = try Data(contentsOf: URL(fileURLWithPath: folder[output])).base64EncodedString()
        let body = signed.merging(
            [
                "Signature": signature, "SignatureVersion": version, "SigningCertURL": Self.address,
                "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
            ]
        ) { $1 }.merging(altered) { $1 }
        return Inbound(
            headers: headers + [
                Header(name: "x-amz-sns-message-type", value: signed["Type"] ?? ""),
                Header(name: "x-amz-sns-message-id", value: "e1"),
                Header(name: "Content-Type", value: "text/plain; charset=UTF-8"),
            ], body: try JSONEncoder().encode(body), remoteAddress: "192.0.2.1", receivedAt: receivedAt)
    }

    func confirmation(subscribe: String = subscribe, version: String = "2") async throws -> Inbound {
        try await message(
            [
                "Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe", "Token": "2336412f37",
                "SubscribeURL": subscribe,
            ], version: version)
    }
}

/// What Amazon's addresses answer in a test, and which were asked.
final class Amazon: Sendable {
    private let state: Mutex<(answers: [(status: Int, body: Data)], asked: [String])>

    /// - Parameter answers: in turn; the last one again and again.
    init(_ answers: (status: Int, body: Data)...) {
        state = Mutex((answers, []))
    }

    var asked: [String] { state.withLock(\.asked) }

    @Sendable func fetch(_ url: URL) async throws -> (status: Int, body: Data) {
        state.withLock { state in
            state.asked.append(url.absoluteString)
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
        }
    }
}
