import Foundation
import Model
import Platform
import Testing

@testable import Intake

private enum RealPayloads {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/webhooks").path

    static var isThere: Bool { FileManager.default.fileExists(atPath: folder + "/SIGNATURES.tsv") }

    static var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/github")) ?? []).sorted()
    }
}

/// Payloads that GitHub really sent, read from where they lie beside the project.
@Suite(.enabled(if: RealPayloads.isThere, "the folder shared/webhooks is not beside the project"))
struct RealPayloadTests {
    private func inbound(_ body: Data, _ headers: [String: String]) -> Inbound {
        Inbound(body: body, remoteAddress: "127.0.0.1", receivedAt: Date(timeIntervalSince1970: 0)) { name in
            headers.first { $0.key.lowercased() == name.lowercased() }?.value
        }
    }

    private func body(_ file: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(RealPayloads.folder)/github/\(file)"))
    }

    @Test(arguments: RealPayloads.files.filter { $0.hasPrefix("push-") })
    func pushesAreRead(file: String) throws {
        let type = file.hasSuffix(".form") ? "application/x-www-form-urlencoded" : "application/json"
        switch try GitHub.read(event: "push", inbound(body(file), ["Content-Type": type])) {
        case .push(let push):
            #expect(!file.contains("delete"))
            #expect(push.commit != nil)
            #expect((push.ref.kind == .tag) == file.contains("tag"), "\(push.ref)")
        case .nothing(let reason):
            #expect(file.contains("delete"), "\(reason)")
            #expect(reason.contains("deleted"))
        }
    }

    @Test(arguments: RealPayloads.files.filter { !$0.hasPrefix("push-") })
    func otherEventsBuildNothing(file: String) throws {
        let event = String(file.prefix { $0 != "-" })
        guard case .nothing = try GitHub.read(event: event, inbound(body(file), [:])) else {
            Issue.record("\(file) built")
            return
        }
    }

    @Test func knownSignaturesAreGenuine() throws {
        let rows = try String(contentsOfFile: RealPayloads.folder + "/SIGNATURES.tsv", encoding: .utf8).split(
            separator: "\n"
        )
        .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
        .filter { $0.count > 5 && $0[4] == Signature.header && $0[3].hasPrefix("github/") }
        try #require(!rows.isEmpty)
        for row in rows {
            let body = try Data(contentsOf: URL(fileURLWithPath: "\(RealPayloads.folder)/\(row[3])"))
            let signed = inbound(body, [Signature.header: row[5]])
            try Signature.check(signed, secrets: [Secret(row[1])], repository: RepositoryName("acme/shop"))
            #expect(throws: IntakeError.self, "\(row[0])") {
                try Signature.check(signed, secrets: [Secret(row[1] + "x")], repository: RepositoryName("acme/shop"))
            }
        }
    }
}
