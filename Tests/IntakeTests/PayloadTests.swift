import Foundation
import Model
import Platform
import Testing

@testable import Intake

private enum Payloads {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/webhooks").path

    static var areThere: Bool { FileManager.default.fileExists(atPath: folder + "/SIGNATURES.tsv") }

    /// Whose every file arrives over HTTP as it lies there; of CodeCommit's only one does.
    static let hosts = [
        "github", "gitlab", "gitea", "forgejo", "gogs", "bitbucket-cloud", "bitbucket-server", "azure-devops",
    ]
    static let rows =
        gitHubRows + gitLabRows + giteaRows + forgejoRows + gogsRows + bitbucketCloudRows + bitbucketServerRows
        + azureDevOpsRows + codeCommitRows

    static func body(_ file: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)"))
    }
}

/// Payloads that Git hosts really sent, read from where they lie beside the project.
@Suite(.enabled(if: Payloads.areThere, "the folder shared/webhooks is not beside the project"))
struct PayloadTests {
    @Test(arguments: Payloads.rows) func isRead(row: PayloadRow) async throws {
        let inbound = Inbound.fixture(try Payloads.body(row.file), row.headers)
        let host = try #require(GitHosts.all.first { $0.sent(inbound) })
        #expect(host.name == row.host)
        let webhook = try await host.read(inbound)
        #expect(webhook.told == row.pushes)
        #expect(webhook.reasons.count == row.reasons.count, "\(webhook.reasons)")
        for (said, part) in zip(webhook.reasons, row.reasons) { #expect(said.contains(part)) }
        if let address = row.address {
            #expect(webhook.addresses.contains(address), "\(webhook.addresses)")
        } else {
            #expect(webhook.addresses == [])
        }
    }

    @Test(arguments: Payloads.hosts) func everyFileHasARow(host: String) throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(Payloads.folder)/\(host)")
        let rows = Payloads.rows.map(\.file).filter { $0.hasPrefix("\(host)/") }
        #expect(rows.sorted() == files.map { "\(host)/\($0)" }.sorted())
    }

    @Test func tipsAreTold() throws {
        let body = try Payloads.body("github/push-2.json")
        let push = try GitHub().read(.fixture(body, ["X-GitHub-Event": "push"])).pushes.first
        #expect(push?.author == "Philipp")
        #expect(push?.defaultBranch == "main")
        #expect(push?.before?.text == "2f780193b136b72bfea4eeb640786a8c4450c7a2")
        let merge = try GitLab().read(
            .fixture(Payloads.body("gitlab/push-2.json"), ["X-Gitlab-Event": "Push Hook"]))
        #expect(merge.pushes.first?.message?.hasPrefix("Merge branch 'feature' into 'master'") == true)
        // Its one commit is not the one that the branch points at.
        let system = try GitLab().read(
            .fixture(Payloads.body("gitlab/system-push-1.json"), ["X-Gitlab-Event": "System Hook"]))
        #expect(system.pushes.first?.message == nil)
    }
}

/// Signatures that are known to be right.
@Suite(.enabled(if: Payloads.areThere, "the folder shared/webhooks is not beside the project"))
struct SignatureVectorTests {
    /// The columns of one line: what, secret, algorithm, file, header, value.
    private static func vectors() throws -> [[String]] {
        try String(contentsOfFile: Payloads.folder + "/SIGNATURES.tsv", encoding: .utf8)
            .split(separator: "\n").dropFirst()
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
            .filter { columns in
                columns.count > 5
                    && (columns[3].hasPrefix("(literal") || Payloads.hosts.contains { columns[3].hasPrefix("\($0)/") })
            }
    }

    @Test func allAreGenuineForTheirOwnBodyAndHeader() async throws {
        let vectors = try Self.vectors()
        #expect(vectors.count == 12)
        for vector in vectors {
            let (secret, file, header, value) = (vector[1], vector[3], vector[4], vector[5])
            let body = file.hasPrefix("(") ? Data("Hello, World!".utf8) : try Payloads.body(file)
            let name = file.hasPrefix("(") ? "github" : String(file.prefix { $0 != "/" })
            let host = try #require(GitHosts.all.first { $0.name == name })
            var headers = [
                "X-Event-Key": name == "bitbucket-cloud"
                    ? "repo:push" : name == "bitbucket-server" ? "repo:refs_changed" : "",
                "Content-Type": file.hasSuffix(".form") ? "application/x-www-form-urlencoded" : "application/json",
                "webhook-id": "f5e5f430-f57b-4e6e-9fac-d9128cd7232f", "webhook-timestamp": "1718000000",
            ]
            func refusal(_ body: Data, _ secret: String) async -> String? {
                await SignatureTests.refusal(
                    host, .fixture(body, headers, at: 1_718_000_000), .fixture(secret))
            }
            headers[header] = value
            let isSHA1 = value.hasPrefix("sha1=")
            #expect((await refusal(body, secret) == nil) == !isSHA1, "\(vector[0])")
            #expect(await refusal(body + Data(" ".utf8), secret) != nil, "\(vector[0])")
            #expect(await refusal(body, secret + "A") != nil, "\(vector[0])")
            headers[header] = nil
            for other in [
                "X-Hub-Signature", "X-Hub-Signature-256", "X-Gitea-Signature", "X-Forgejo-Signature",
                "X-Gogs-Signature", "X-Gitlab-Token", "webhook-signature",
            ] where other != header {
                headers[other] = value
                #expect(await refusal(body, secret) != nil, "\(vector[0]) in \(other)")
                headers[other] = nil
            }
        }
    }
}
