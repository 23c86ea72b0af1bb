import Checkout
import Foundation
import Model
import TestSupport
import Testing

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct FetchTests {
    @Test func aBranchGivesItsCommitAndWhatItSays() async throws {
        let fixture = try await Fixture()
        let id = try await fixture.repository.commit("Add the shop\n\nAll of it, ö.", ["a": "1"])
        let info = try await fixture.mirror().fetch(RefName("refs/heads/main"))
        #expect(info.id.text == id)
        #expect(info.message == "Add the shop\n\nAll of it, ö.\n")
        #expect(info.author == "Ada Example")
        #expect(info.date == Date(timeIntervalSince1970: 1_700_000_000))
    }

    @Test func onlyTheRefAskedForIsFetched() async throws {
        let fixture = try await Fixture()
        try await fixture.repository.commit()
        try await fixture.repository.git("checkout", "-q", "-b", "other")
        let other = try await fixture.repository.commit("Other", ["big": "file"])
        try await fixture.repository.git("tag", "v1")
        let mirror = try fixture.mirror()
        let main = try await mirror.fetch(RefName("refs/heads/main"))
        let refs = try await Command.run("git", ["for-each-ref", "--format=%(refname)"], in: fixture.mirrorPath)
        #expect(refs.contains("refs/heads/main"))
        #expect(!refs.contains("v1") && !refs.contains("other"))
        #expect(try await mirror.isAncestor(main.id, of: CommitID(other)) == nil)
    }

    @Test func tagsLeadToTheirCommits() async throws {
        let fixture = try await Fixture()
        let first = try await fixture.repository.commit("First")
        try await fixture.repository.git("tag", "light")
        try await fixture.repository.git("tag", "-a", "-m", "Release", "v1.0")
        // A tag on a tag, off every branch.
        try await fixture.repository.git("checkout", "-q", "--detach")
        let second = try await fixture.repository.commit("Second", ["a": "2"])
        try await fixture.repository.git("tag", "-a", "-m", "Inner", "inner")
        try await fixture.repository.git("tag", "-a", "-m", "Outer", "outer", "inner")
        let mirror = try fixture.mirror()
        #expect(try await mirror.fetch(RefName("refs/tags/light")).id.text == first)
        #expect(try await mirror.fetch(RefName("refs/tags/v1.0")).id.text == first)
        let outer = try await mirror.fetch(RefName("refs/tags/outer"))
        #expect(outer.id.text == second)
        // With the whole history of the tagged commit, not only its tip.
        #expect(try await mirror.isAncestor(CommitID(first), of: outer.id) == true)
    }

    @Test(arguments: ["feature/ünïcode-λ", "it's\"quoted\"", "a&b;c$(d)|e", "weird%20#name", "-dash", "v1.0+build{1}"])
    func oddNamesAreOnlyNames(name: String) async throws {
        let fixture = try await Fixture()
        try await fixture.repository.commit()
        let id = try await fixture.repository.commit("Odd", ["odd": name])
        try await fixture.repository.git("update-ref", "refs/heads/\(name)", id)
        let info = try await fixture.mirror().fetch(RefName(.branch, name))
        #expect(info.id.text == id)
    }

    @Test func aBranchMayBecomeAFolderOfBranches() async throws {
        let fixture = try await Fixture()
        try await fixture.repository.commit()
        try await fixture.repository.git("branch", "topic")
        let mirror = try fixture.mirror()
        _ = try await mirror.fetch(RefName("refs/heads/topic"))
        try await fixture.repository.git("branch", "-D", "topic")
        try await fixture.repository.git("branch", "topic/one")
        let id = try await fixture.repository.head()
        #expect(try await mirror.fetch(RefName("refs/heads/topic/one")).id.text == id)
    }

    @Test func aCommitThatCameBeforeNeedsNoSource() async throws {
        let fixture = try await Fixture()
        let id = try CommitID(await fixture.repository.commit())
        let mirror = try fixture.mirror()
        _ = try await mirror.fetch(RefName("refs/heads/main"), commit: id)
        try FileManager.default.moveItem(atPath: fixture.repository.path, toPath: fixture.directory["moved"])
        #expect(try await mirror.fetch(RefName("refs/heads/main"), commit: id).id == id)
        await expectFailure(.system, "can't fetch from", fixture.repository.path) {
            _ = try await mirror.fetch(RefName("refs/tags/v1"), commit: id)
        }
    }

    @Test func anOlderCommitOfTheBranchIsTaken() async throws {
        let fixture = try await Fixture()
        let first = try CommitID(await fixture.repository.commit("First", ["a": "1"]))
        try await fixture.repository.commit("Second", ["a": "2"])
        let mirror = try fixture.mirror()
        #expect(try await mirror.fetch(RefName("refs/heads/main"), commit: first).message == "First\n")
        let workspace = fixture.workspace()
        try await mirror.checkOut(first, into: workspace)
        #expect(try text("\(workspace)/a") == "1")
    }

    @Test func aForcePushIsFollowedAndTheOldCommitKept() async throws {
        let fixture = try await Fixture()
        try await fixture.repository.commit("Base")
        let old = try CommitID(await fixture.repository.commit("Old", ["a": "old"]))
        let mirror = try fixture.mirror()
        _ = try await mirror.fetch(RefName("refs/heads/main"), commit: old)
        try await fixture.repository.git("reset", "-q", "--hard", "HEAD~1")
        let new = try CommitID(await fixture.repository.commit("New", ["a": "new"]))
        #expect(try await mirror.fetch(RefName("refs/heads/main")).id == new)
        #expect(try await mirror.isAncestor(old, of: new) == false)
        // Asked for before, so still there.
        #expect(try await mirror.fetch(RefName("refs/heads/main"), commit: old).id == old)
    }

    @Test func whatIsNotThereIsTheRepositorysFault() async throws {
        let fixture = try await Fixture()
        try await fixture.repository.commit()
        let blob = try await fixture.repository.git("hash-object", "-w", "--stdin", input: Data("x".utf8))
        try await fixture.repository.git("tag", "file", blob)
        let mirror = try fixture.mirror()
        await expectFailure(.build, "branch \"gone\"", "deleted") {
            _ = try await mirror.fetch(RefName("refs/heads/gone"))
        }
        await expectFailure(.build, "tag \"file\"", "commit") { _ = try await mirror.fetch(RefName("refs/tags/file")) }
        let nowhere = try CommitID(String(repeating: "0123456789", count: 4))
        await expectFailure(.build, nowhere.text, "no longer") {
            _ = try await mirror.fetch(RefName("refs/heads/main"), commit: nowhere)
        }
        await expectFailure(.build, nowhere.text) { _ = try await mirror.fetch(commit: nowhere) }
        await expectFailure(.build, "SHA-256") {
            _ = try await mirror.fetch(commit: CommitID(String(repeating: "ab", count: 32)))
        }
        await expectFailure(.system, "can't fetch from /nowhere") {
            _ = try await fixture.mirror("/nowhere/at/all").fetch(RefName("refs/heads/main"))
        }
    }

    @Test func ancestry() async throws {
        let fixture = try await Fixture()
        let first = try CommitID(await fixture.repository.commit("1", ["a": "1"]))
        let second = try CommitID(await fixture.repository.commit("2", ["a": "2"]))
        let mirror = try fixture.mirror()
        _ = try await mirror.fetch(RefName("refs/heads/main"))
        #expect(try await mirror.isAncestor(first, of: second) == true)
        #expect(try await mirror.isAncestor(second, of: second) == true)
        #expect(try await mirror.isAncestor(second, of: first) == false)
        #expect(try await mirror.isAncestor(CommitID(String(repeating: "1", count: 40)), of: first) == nil)
    }

    @Test func theSourceTellsItsRefs() async throws {
        let fixture = try await Fixture()
        let empty = try await listRemote(source: fixture.source, credentials: nil)
        #expect(empty == RemoteRefs(defaultBranch: "main", refs: [:]))
        let id = try CommitID(await fixture.repository.commit())
        try await fixture.repository.git("tag", "-a", "-m", "One", "v1")
        try await fixture.repository.git("update-ref", "refs/pull/1/head", id.text)
        let refs = try await listRemote(source: fixture.source, credentials: nil)
        #expect(refs.defaultBranch == "main")
        #expect(refs.refs == [try RefName("refs/heads/main"): id, try RefName("refs/tags/v1"): id])
    }

    @Test func eightAtOnce() async throws {
        let fixture = try await Fixture()
        var ids: [String] = []
        for n in 0..<8 {
            try await fixture.repository.git("checkout", "-q", "-B", "b\(n)")
            ids.append(try await fixture.repository.commit("\(n)", ["n": "\(n)"]))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for n in 0..<8 {
                group.addTask { [ids] in
                    let mirror = try fixture.mirror()
                    let info = try await mirror.fetch(RefName(.branch, "b\(n)"), commit: CommitID(ids[n]))
                    let workspace = fixture.workspace()
                    try await mirror.checkOut(info.id, into: workspace)
                    #expect(try text("\(workspace)/n") == "\(n)")
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func oneMirrorForEverybodyUntilTheSettingsChange() async throws {
        let fixture = try await Fixture()
        #expect(try fixture.mirror() === fixture.mirror())
        let login = GitCredentials.login(Login(username: "a", password: Secret("b")))
        #expect(try fixture.mirror() !== fixture.mirror(credentials: login))
        #expect(try fixture.mirror("/a") !== fixture.mirror("/b"))
    }
}
