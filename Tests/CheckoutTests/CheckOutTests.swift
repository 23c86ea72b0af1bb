import Checkout
import Foundation
import Model
import TestSupport
import Testing

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct CheckOutTests {
    @Test func filesModesAndLinksAreWritten() async throws {
        let fixture = try await Fixture()
        let repository = fixture.repository
        try await repository.commit("Files", ["run.sh": "#!/bin/sh\n", "docs/ä b/read me": "hi", "crlf": "a\nb\n"])
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: repository.path + "/run.sh")
        try FileManager.default.createSymbolicLink(atPath: repository.path + "/link", withDestinationPath: "docs/ä b")
        try FileManager.default.createSymbolicLink(atPath: repository.path + "/out", withDestinationPath: "/etc/passwd")
        // Attributes that would change the bytes, were filters run.
        try await repository.commit(
            "Attributes", [".gitattributes": "crlf text eol=crlf\nrun.sh ident filter=evil\n", "id": "$Id$\n"])
        let workspace = try await fixture.checkOut()
        #expect(try names(workspace) == [".gitattributes", "crlf", "docs", "id", "link", "out", "run.sh"])
        #expect(try mode(workspace + "/run.sh") == 0o755)
        #expect(try mode(workspace + "/docs/ä b/read me") == 0o644)
        #expect(try mode(workspace + "/docs") == 0o755)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: workspace + "/link") == "docs/ä b")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: workspace + "/out") == "/etc/passwd")
        #expect(try Data(contentsOf: URL(fileURLWithPath: workspace + "/crlf")) == Data("a\nb\n".utf8))
        #expect(try text(workspace + "/id") == "$Id$\n")
    }

    @Test func anEmptyTreeIsAnEmptyWorkspace() async throws {
        let fixture = try await Fixture()
        try await fixture.repository.commit("Nothing")
        #expect(try names(await fixture.checkOut()) == [])
    }

    // Trees that git itself would never write.
    @Test(arguments: [
        ("120000 a", "040000 a"),  // a link, and a directory behind it
        ("100644 ..", nil), ("100644 .git", nil), ("040000 .GIT", nil), ("100644 .", nil), ("100644 a/b", nil),
    ])
    func aHostileTreeWritesNothingOutside(first: String, second: String?) async throws {
        let fixture = try await Fixture()
        let repository = fixture.repository
        let blob = try await repository.git(
            "hash-object", "-w", "--stdin", input: Data(fixture.directory["outside"].utf8))
        let inner = try await repository.git("mktree", input: Data("100644 blob \(blob)\tpwned\n".utf8))
        try FileManager.default.createDirectory(atPath: fixture.directory["outside"], withIntermediateDirectories: true)
        var tree = Data()
        for entry in [first, second].compactMap(\.self) {
            let mode = entry.prefix(6) == "040000" ? "40000" : String(entry.prefix(6))
            tree += Data("\(mode) \(entry.dropFirst(7))\0".utf8)
            let id = mode == "40000" ? inner : blob
            tree += try #require(hexBytes(id))
        }
        let id = try await repository.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input: tree)
        let commit = try await repository.git("commit-tree", "-m", "Hostile", id)
        try await repository.git("update-ref", "refs/heads/main", commit)
        await expectFailure(.build, commit) { _ = try await fixture.checkOut() }
        #expect(try names(fixture.directory["outside"]) == [])
    }

    @Test func aWorkspaceWithFilesIsRefused() async throws {
        let fixture = try await Fixture()
        let id = try CommitID(await fixture.repository.commit("a", ["a": "1"]))
        let mirror = try fixture.mirror()
        _ = try await mirror.fetch(RefName("refs/heads/main"))
        let workspace = fixture.workspace()
        try await mirror.checkOut(id, into: workspace)
        await expectFailure(.build, "not empty") { try await mirror.checkOut(id, into: workspace) }
    }
}

func hexBytes(_ text: String) -> Data? {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count % 2 == 0 else { return nil }
    return Data(stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
}
