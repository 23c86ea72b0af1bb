import Foundation
import Model
import Platform
import Testing

@testable import Intake

@Suite struct GitHubTests {
    static let secret = Secret("It's a Secret to Everybody")

    private func inbound(_ body: String, _ headers: [String: String] = [:]) -> Inbound {
        Inbound(body: Data(body.utf8), remoteAddress: "127.0.0.1", receivedAt: Date(timeIntervalSince1970: 0)) { name in
            headers.first { $0.key.lowercased() == name.lowercased() }?.value
        }
    }

    // MARK: Signature

    /// The vector of GitHub's documentation ("Validating webhook deliveries").
    static let documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    @Test func documentedVectorIsGenuine() throws {
        let inbound = inbound("Hello, World!", ["x-hub-signature-256": Self.documented])
        try Signature.check(inbound, secrets: [Self.secret], repository: RepositoryName("acme/shop"))
        // Either of two secrets may have signed, for rotation.
        try Signature.check(inbound, secrets: [Secret("other"), Self.secret], repository: RepositoryName("acme/shop"))
    }

    @Test(
        arguments: [
            // missing, empty, only the prefix, cut short, too long
            (nil, "is missing"), ("", "is missing"), ("sha256=", "64 hexadecimal"),
            (String(documented.dropLast(2)), "64 hexadecimal"),
            (documented + "00", "64 hexadecimal"),
            // another algorithm, no hexadecimal digits, another body's
            ("sha1=757107ea0eb2509fc211221cce984b8a37570b6d", "64 hexadecimal"),
            ("sha256=" + String(repeating: "g", count: 64), "64 hexadecimal"),
            ("sha256=" + String(repeating: "0", count: 64), "not of this body"),
        ] as [(String?, String)])
    func wrongSignaturesAreTurnedAway(value: String?, reason: String) throws {
        let inbound = inbound("Hello, World!", value.map { [Signature.header: $0] } ?? [:])
        let error = #expect(throws: IntakeError.self) {
            try Signature.check(inbound, secrets: [Self.secret], repository: RepositoryName("acme/shop"))
        }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
    }

    @Test func withoutASecretNothingIsTaken() throws {
        let inbound = inbound("Hello, World!", [Signature.header: Self.documented])
        #expect(throws: IntakeError.self) {
            try Signature.check(inbound, secrets: [], repository: RepositoryName("acme/shop"))
        }
    }

    // MARK: Events

    static let commit = String(repeating: "ab", count: 20)

    private func push(
        _ ref: String, after: String = commit,
        head: String? = "{\"id\":\"\(commit)\",\"message\":\"Fix\",\"author\":{\"name\":\"Ada\"}}"
    ) -> String {
        "{\"ref\":\"\(ref)\",\"after\":\"\(after)\",\"deleted\":\(after.hasPrefix("0000")),\"head_commit\":\(head ?? "null"),\"repository\":{\"default_branch\":\"main\"}}"
    }

    @Test func aPushIsRead() throws {
        let event = try GitHub.read(event: "push", inbound(push("refs/heads/feature/x")))
        #expect(
            event
                == .push(
                    Push(
                        ref: try RefName(.branch, "feature/x"), commit: try CommitID(Self.commit), message: "Fix",
                        author: "Ada",
                        defaultBranch: "main")))
    }

    @Test func anAnnotatedTagGivesItsCommit() throws {
        let event = try GitHub.read(
            event: "push", inbound(push("refs/tags/v1", after: String(repeating: "cd", count: 20))))
        guard case .push(let push) = event else {
            Issue.record("\(event)")
            return
        }
        #expect(push.commit?.text == Self.commit)
    }

    @Test func aFormCarriesThePayload() throws {
        let form =
            "payload=" + (push("refs/heads/main").addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
        let event = try GitHub.read(event: "push", inbound(form, ["Content-Type": "application/x-www-form-urlencoded"]))
        guard case .push(let push) = event else {
            Issue.record("\(event)")
            return
        }
        #expect(push.ref.name == "main")
    }

    @Test(arguments: [
        ("ping", "{}", "ping"),
        ("issues", "{}", "only pushes"),
        (
            "push",
            "{\"ref\":\"refs/heads/old\",\"after\":\"0000000000000000000000000000000000000000\",\"deleted\":true,\"head_commit\":null}",
            "deleted"
        ),
        ("push", "{\"ref\":\"refs/notes/commits\",\"after\":\"\(commit)\"}", "neither a branch"),
    ])
    func nothingToBuildHasAReason(event: String, body: String, reason: String) throws {
        guard case .nothing(let said) = try GitHub.read(event: event, inbound(body)) else {
            Issue.record("built")
            return
        }
        #expect(said.contains(reason), "\(said)")
    }

    @Test(arguments: [
        ("", "empty"), ("nonsense", "not JSON"), ("[]", "of another type"), ("{}", "\"ref\" is missing"),
        ("{\"ref\": 5, \"after\": \"\"}", "\"ref\" is of another type"),
        ("{\"ref\": \"refs/heads/main\", \"after\": \"xyz\"}", "not a commit id"),
        (String(repeating: "[", count: 100_000), "not JSON"),
        (String(repeating: "{\"a\":", count: 100_000), "not JSON"),
    ])
    func bodiesThatCannotBeRead(body: String, reason: String) {
        let error = #expect(throws: IntakeError.self) { try GitHub.read(event: "push", inbound(body)) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "none")")
        #expect((error?.description.count ?? 0) < 400)
    }
}
