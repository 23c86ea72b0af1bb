import Checkout
import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct ChangeTests {
    /// What the mirror asks about, in the order in which it does, between the commits `old` and `new`.
    private func asked(_ mirror: Mirror, _ old: String, _ new: String) async throws -> [String] {
        let paths = Mutex<[String]>([])
        let change = try await mirror.change(from: CommitID(old), to: CommitID(new)) { path in
            paths.withLock { $0.append(path) }
            return false
        }
        #expect(change == .nothing)
        return paths.withLock(\.self)
    }

    private func fetched(_ fixture: Fixture) async throws -> Mirror {
        let mirror = try fixture.mirror()
        _ = try await mirror.fetch(RefName("refs/heads/main"))
        return mirror
    }

    @Test func everyKindOfChangeIsOne() async throws {
        let fixture = try await Fixture()
        let git = fixture.repository
        let old = try await git.commit(
            "Old",
            [
                "same": "1", "changed": "1", "gone": "gone", "mode": "1", "kind": "target", "folder/deep/file": "1",
                "becomes": "1", "renamed from": "a longer text that stays as it is\nin two lines\n",
            ])
        let manager = FileManager.default
        for name in ["gone", "kind", "becomes"] { try manager.removeItem(atPath: "\(git.path)/\(name)") }
        try manager.createSymbolicLink(atPath: git.path + "/kind", withDestinationPath: "target")
        try manager.moveItem(atPath: git.path + "/renamed from", toPath: git.path + "/renamed to")
        try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: git.path + "/mode")
        let new = try await git.commit(
            "New", ["changed": "2", "folder/deep/file": "2", "becomes/folder": "1", "ünïcode λ\n": "1"])
        let paths = try await asked(try await fetched(fixture), old, new)
        #expect(
            Set(paths) == [
                "changed", "gone", "mode", "kind", "folder/deep/file", "becomes", "becomes/folder", "renamed from",
                "renamed to", "ünïcode λ\n",
            ])
    }

    @Test func theFirstWantedFileIsTold() async throws {
        let fixture = try await Fixture()
        let old = try CommitID(await fixture.repository.commit("Old", ["a": "1", "b": "1", "c": "1"]))
        let new = try CommitID(await fixture.repository.commit("New", ["a": "2", "b": "2", "c": "2"]))
        let mirror = try await fetched(fixture)
        #expect(try await mirror.change(from: old, to: new) { $0 > "a" } == .file("b"))
        #expect(try await mirror.change(from: old, to: new) { $0 > "c" } == .nothing)
        #expect(try await mirror.change(from: new, to: new) { _ in true } == .nothing)
    }

    /// What was changed and changed back is no change; what any commit in between changed is one.
    @Test func theEndsAreCompared() async throws {
        let fixture = try await Fixture()
        let first = try await fixture.repository.commit("1", ["a": "1", "b": "1"])
        try await fixture.repository.commit("2", ["a": "2", "c": "1"])
        let last = try await fixture.repository.commit("3", ["a": "1"])
        #expect(try await asked(try await fetched(fixture), first, last) == ["c"])
    }

    @Test func aSubmoduleIsThePathAtWhichItLies() async throws {
        let fixture = try await Fixture()
        let library = try await GitRepository.make(at: fixture.directory["library"])
        try await library.commit("One", ["v": "1"])
        try await fixture.repository.git("submodule", "add", "-q", "../library", "vendor/library")
        let old = try await fixture.repository.commit("Old")
        let two = try await library.commit("Two", ["v": "2"])
        try await fixture.repository.git("update-index", "--cacheinfo", "160000,\(two),vendor/library")
        try await fixture.repository.git("commit", "-q", "-m", "New")
        let new = try await fixture.repository.head()
        #expect(try await asked(try await fetched(fixture), old, new) == ["vendor/library"])
    }

    @Test func onlyWhatCameAfterIsCompared() async throws {
        let fixture = try await Fixture()
        let base = try CommitID(await fixture.repository.commit("Base", ["a": "1"]))
        let old = try CommitID(await fixture.repository.commit("Old", ["a": "2"]))
        let mirror = try await fetched(fixture)
        try await fixture.repository.git("reset", "-q", "--hard", base.text)
        let new = try CommitID(await fixture.repository.commit("New", ["b": "1"]))
        #expect(try await mirror.fetch(RefName("refs/heads/main")).id == new)
        // A force push, a step back, and a commit that nobody has.
        #expect(try await mirror.change(from: old, to: new) { _ in true } == .unrelated)
        #expect(try await mirror.change(from: old, to: base) { _ in true } == .unrelated)
        let nowhere = try CommitID(String(repeating: "1", count: 40))
        #expect(try await mirror.change(from: nowhere, to: new) { _ in true } == .unrelated)
        #expect(try await mirror.change(from: base, to: nowhere) { _ in true } == .unrelated)
        #expect(try await mirror.change(from: base, to: new) { _ in true } == .file("b"))
    }

    @Test func noContentIsRead() async throws {
        let fixture = try await Fixture()
        let text = String(repeating: "a line of a file that is nearly the same under another name\n", count: 9)
        let old = try CommitID(await fixture.repository.commit("Old", ["a": "1", "d/b": text]))
        try await fixture.repository.git("mv", "d/b", "d/c")
        let new = try CommitID(await fixture.repository.commit("New", ["a": "2", "d/c": text + "more\n"]))
        let mirror = try await fetched(fixture)
        // The mirror keeps commits and trees alone.
        let bare = fixture.directory["bare.git"]
        try await fixture.repository.git("config", "uploadpack.allowFilter", "true")
        try await fixture.repository.git(
            "clone", "-q", "--bare", "--filter=blob:none", "file://\(fixture.repository.path)", bare)
        let path = try fixture.mirrorPath
        try FileManager.default.removeItem(atPath: path + "/objects")
        try FileManager.default.moveItem(atPath: bare + "/objects", toPath: path + "/objects")
        await #expect(throws: Command.Failed.self) { try await Command.run("git", ["show", "\(new):a"], in: path) }
        #expect(try await mirror.change(from: old, to: new) { $0 == "d/c" } == .file("d/c"))
        #expect(fixture.log.all.filter { $0.contains("damaged") } == [])
    }
}
