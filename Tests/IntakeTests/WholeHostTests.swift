import Foundation
import Model
import Platform
import Queue
import Settings
import TestSupport
import Testing

@testable import Intake

/// One address for every repository of a Git host.
@Suite struct WholeHostTests {
    static let secret = Secret("a secret of the whole host")

    private func receiver(secrets: [Secret] = [secret]) async throws -> (Receiver, TemporaryDirectory) {
        let folder = try TemporaryDirectory()
        let rule = Rule(
            number: 1, source: .branch(try Pattern("main")), tags: [try Template("latest")],
            commitTag: try Template("sha-{sha12}"))
        func repository(_ name: String, _ source: String) throws -> Repository {
            Repository(
                name: try RepositoryName(name), source: try GitSource(source),
                image: try ImageName("localhost:5000/\(name)"), webhookSecrets: [Secret("of \(name) alone")],
                rules: [rule])
        }
        let settings = Settings(
            webhookSecrets: secrets,
            repositories: [
                try repository("acme/shop", "https://git.example.com/acme/shop.git"),
                try repository("acme/shop-arm", "git@git.example.com:acme/shop.git"),
                try repository("acme/tools", "ssh://git@git.example.com:2222/acme/tools"),
            ])
        let store = try await DatabaseStore.open(sqlite: folder.path + "/s.sqlite", time: SystemTime())
        return (Receiver(settings: LiveSettings(settings), store: store) { _ in "main" }, folder)
    }

    private func push(_ address: String, secret: Secret = secret) -> Inbound {
        let body = Data(
            """
            {"ref": "refs/heads/main", "after": "\(String(repeating: "a1", count: 20))",
            "repository": {"clone_url": "\(address)", "default_branch": "main"}}
            """.utf8)
        let signature = "sha256=" + Crypto.hmacSHA256(key: Data(secret.value.utf8), body).hex
        return Inbound(
            headers: [
                Header(name: "X-GitHub-Event", value: "push"),
                Header(name: "X-GitHub-Delivery", value: UUID().uuidString),
                Header(name: "X-Hub-Signature-256", value: signature),
            ], body: body, remoteAddress: "127.0.0.1", receivedAt: Date())
    }

    @Test func theCloneAddressTellsTheRepository() async throws {
        let (receiver, folder) = try await receiver()
        defer { withExtendedLifetime(folder) {} }
        let answer = try await receiver.webhook(push("https://GIT.example.com/acme/tools.git"))
        #expect(answer.builds.map(\.repository.text) == ["acme/tools"])
        #expect(answer.accepted)
    }

    @Test func everyRepositoryWithThatSourceBuilds() async throws {
        let (receiver, folder) = try await receiver()
        defer { withExtendedLifetime(folder) {} }
        let answer = try await receiver.webhook(push("https://git.example.com/acme/shop"))
        #expect(answer.builds.map(\.repository.text) == ["acme/shop", "acme/shop-arm"])
    }

    @Test func anUnknownRepositoryIsToldByItsAddress() async throws {
        let (receiver, folder) = try await receiver()
        defer { withExtendedLifetime(folder) {} }
        let answer = try await receiver.webhook(push("https://git.example.com/acme/secret.git"))
        #expect(answer.builds.isEmpty)
        #expect(answer.ignored.first?.reason.contains("https://git.example.com/acme/secret.git") == true)
    }

    @Test func theSecretIsItsOwn() async throws {
        let (receiver, folder) = try await receiver()
        defer { withExtendedLifetime(folder) {} }
        let theirs = push("https://git.example.com/acme/tools.git", secret: Secret("of acme/tools alone"))
        await #expect(throws: IntakeError.self) { try await receiver.webhook(theirs) }
        let ours = push("https://git.example.com/acme/tools.git")
        await #expect(throws: IntakeError.self) { try await receiver.webhook(try RepositoryName("acme/tools"), ours) }
        let (closed, other) = try await self.receiver(secrets: [])
        defer { withExtendedLifetime(other) {} }
        await #expect(throws: IntakeError.self) { try await closed.webhook(ours) }
    }
}
