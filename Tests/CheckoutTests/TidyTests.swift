import Checkout
import Foundation
import Model
import TestSupport
import Testing

/// What keeps mirrors from growing without end.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct TidyTests {
    private var main: RefName { get throws { try RefName("refs/heads/main") } }

    private func packs(_ fixture: Fixture) throws -> [String] {
        try names(fixture.mirrorPath + "/objects/pack").filter { $0.hasSuffix(".pack") }
    }

    /// Fetches one commit after the other, as many pushes do.
    private func grow(_ fixture: Fixture, _ count: Int) async throws -> [CommitID] {
        var commits: [CommitID] = []
        for number in 0..<count {
            commits.append(try CommitID(await fixture.repository.commit("Commit \(number)", ["file": "\(number)\n"])))
            _ = try await fixture.mirror().fetch(try main)
        }
        return commits
    }

    @Test func manyPacksBecomeOne() async throws {
        let fixture = try await Fixture()
        let commits = try await grow(fixture, 52)
        // An annotated tag, and a commit that no branch leads to any more.
        try await fixture.repository.git("tag", "-a", "v1", "-m", "One")
        _ = try await fixture.mirror().fetch(RefName("refs/tags/v1"))
        try await fixture.repository.git("reset", "-q", "--hard", "HEAD~2")
        try await fixture.repository.commit("Another way", ["other": "x"])
        let forced = try await fixture.mirror().fetch(try main).id
        #expect(try packs(fixture).count > 50)
        let mirror = try fixture.mirror()
        try await mirror.tidy()
        #expect(try packs(fixture).count == 1)
        #expect(fixture.log.all.contains { $0.contains("a mirror was packed") })
        // All is there, without the source.
        try FileManager.default.moveItem(atPath: fixture.repository.path, toPath: fixture.directory["away"])
        for commit in commits + [forced] {
            let workspace = fixture.workspace()
            _ = try await mirror.fetch(try main, commit: commit)
            try await mirror.checkOut(commit, into: workspace)
        }
        #expect(try await mirror.isAncestor(commits[0], of: commits[51]) == true)
        try await Command.run("git", ["--git-dir", fixture.mirrorPath, "fsck", "--full"], in: fixture.directory.path)
        #expect(
            try await Command.run("git", ["--git-dir", fixture.mirrorPath, "rev-parse", "v1^{tag}"], in: "/").count > 39
        )
        // Few packs are left as they are.
        let before = try packs(fixture)
        try await mirror.tidy()
        #expect(try packs(fixture) == before)
    }

    @Test func aDamagedMirrorThatIsPackedIsMadeAnew() async throws {
        let fixture = try await Fixture()
        _ = try await grow(fixture, 51)
        let pack = try fixture.mirrorPath + "/objects/pack/" + #require(packs(fixture).first)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: pack)
        #expect(truncate(pack, 40) == 0)
        try await fixture.mirror().tidy()
        #expect(fixture.log.all.contains { $0.contains("is damaged and is made anew") })
        let commit = try await fixture.mirror().fetch(try main).id
        try await fixture.mirror().checkOut(commit, into: fixture.workspace())
    }

    @Test func leftoversAndOldNotesGo() async throws {
        let fixture = try await Fixture()
        let commit = try #require(await grow(fixture, 1).first)
        let path = try fixture.mirrorPath
        for name in ["objects/pack/pack_git2_x", "objects/pack/tmp_pack_x", "packed-refs.lock"] {
            #expect(FileManager.default.createFile(atPath: "\(path)/\(name)", contents: nil))
        }
        for number in 0..<1004 {
            let folder = "\(path)/refs/slipway/commits/\(String(format: "%040x", number))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data("\(commit)\n".utf8).write(to: URL(fileURLWithPath: folder + "/alone"))
            let written = Date(timeIntervalSince1970: 1_700_000_000 + Double(number))
            try FileManager.default.setAttributes([.modificationDate: written], ofItemAtPath: folder + "/alone")
        }
        try await fixture.mirror().tidy()
        #expect(try names(path + "/objects/pack").allSatisfy { $0.hasPrefix("pack-") })
        #expect(try !names(path).contains("packed-refs.lock"))
        let notes = try names(path + "/refs/slipway/commits")
        #expect(notes.count == 1000)
        // The oldest went.
        #expect(!notes.contains(String(format: "%040x", 4)) && notes.contains(String(format: "%040x", 5)))
        #expect(notes.contains(commit.text))
    }

    @Test func mirrorsThatAreNotWantedGo() async throws {
        let fixture = try await Fixture()
        let commit = try #require(await grow(fixture, 1).first)
        // Of an earlier life of the service, and of this one.
        let old = fixture.directory["mirrors/gone/old/0123/mirror.git"]
        try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: true)
        let used = fixture.mirrors.mirror(
            for: try RepositoryName("gone/used"), source: try fixture.source, credentials: nil)
        _ = try await used.fetch(try main)
        #expect(try names(fixture.directory["mirrors/gone"]) == ["old", "used"])
        await MirrorKeeper(fixture.mirrors).tidy([try fixture.mirror()])
        #expect(try names(fixture.directory["mirrors"]) == ["acme"])
        #expect(try names(fixture.mirrorPath).contains("objects"))
        // An attempt that was in the middle finds what it needs all the same.
        try await used.checkOut(commit, into: fixture.workspace())
    }

    @Test(.enabled(if: getuid() == 0, "needs root, to mount a small disk"))
    func aFullDiskLeavesTheMirrorWhole() async throws {
        let fixture = try await Fixture()
        let disk = fixture.directory["mirrors"]
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        _ = try await Command.run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk])
        defer { _ = umount2(disk, Int32(MNT_DETACH)) }
        let commits = try await grow(fixture, 51)
        let filler = disk + "/filler"
        #expect(FileManager.default.createFile(atPath: filler, contents: nil))
        let handle = try #require(FileHandle(forWritingAtPath: filler))
        while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
        try handle.close()
        let before = try packs(fixture)
        // Packing, fetching and checking out.
        await expectFailure(.system, "No space left on device") { try await fixture.mirror().tidy() }
        #expect(try packs(fixture) == before)
        try await fixture.repository.commit(
            "Next", ["big": String((0..<20_000).map { _ in "abcdefghij".randomElement() ?? "a" })])
        await expectFailure(.system, "No space left on device") { _ = try await fixture.mirror().fetch(try main) }
        await expectFailure(.system, "No space left on device") {
            try await fixture.mirror().checkOut(commits[0], into: disk + "/workspace")
        }
        #expect(try names(fixture.mirrorPath + "/objects/pack").allSatisfy { $0.hasPrefix("pack-") })
        try FileManager.default.removeItem(atPath: filler)
        try await fixture.mirror().tidy()
        #expect(try packs(fixture).count == 1)
        let next = try await fixture.mirror().fetch(try main).id
        try await fixture.mirror().checkOut(next, into: fixture.workspace())
        #expect(!fixture.log.all.contains { $0.contains("damaged") })
    }
}
