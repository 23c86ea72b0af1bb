import CGit2
import Foundation
import Model
import TestSupport
import Testing

@testable import Checkout

/// Trees that git itself would never write, as real objects in a real repository.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct HostileTreeTests {
    /// One entry of a tree.
    struct Entry {
        let mode: String
        let name: [UInt8]
        let id: String

        init(_ mode: String, _ name: String, _ id: String) {
            self.init(mode, bytes: Array(name.utf8), id)
        }

        init(_ mode: String, bytes: [UInt8], _ id: String) {
            (self.mode, name, self.id) = (mode, bytes, id)
        }
    }

    /// A repository into which anything may be put.
    struct Ground {
        let fixture: Fixture
        let blob: String

        init() async throws {
            fixture = try await Fixture()
            blob = try await fixture.repository.git("hash-object", "-w", "--stdin", input: Data("text".utf8))
        }

        var repository: GitRepository { fixture.repository }

        func tree(_ entries: [Entry]) async throws -> String {
            var tree = Data()
            for entry in entries {
                tree += Data("\(entry.mode) ".utf8) + Data(entry.name) + Data([0])
                tree += try #require(hexBytes(entry.id))
            }
            return try await repository.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", input: tree)
        }

        /// The tree as main's newest commit.
        @discardableResult
        func commit(_ tree: String) async throws -> String {
            let commit = try await repository.git("commit-tree", "-m", "Hostile", tree)
            try await repository.git("update-ref", "refs/heads/main", commit)
            return commit
        }

        /// Writes a tree with other bounds than the standard ones.
        func write(_ tree: String, _ bounds: TreeBounds) async throws {
            let workspace = fixture.workspace()
            GitLibrary.start()
            try await NetworkCall.run(silence: .seconds(30)) { call in
                let path = repository.path
                let opened = try GitHandle("open", free: git_repository_free) { git_repository_open(&$0, path) }
                var id = git_oid()
                #expect(git_oid_fromstr(&id, tree) == 0)
                let handle = try GitHandle("read", free: git_tree_free) { git_tree_lookup(&$0, opened.pointer, &id) }
                var writer = TreeWriter(
                    repository: opened.pointer, commit: try CommitID(tree), call: call, bounds: bounds)
                try writer.write(handle.pointer, to: workspace)
            }
        }
    }

    @Test(arguments: [
        // As case-blind file systems read it.
        ".git", ".Git", ".GIT",
        // As HFS+ reads it, which leaves out what joins letters and turns text.
        ".g\u{200C}it", "\u{FEFF}.git", ".gi\u{202E}t", ".GIT\u{206F}",
        // As NTFS reads it: short names, streams, dots and spaces at the end.
        "git~1", "GIT~1", ".git.", ".git ", ".git . .", ".git::$INDEX_ALLOCATION", ".git:x", "git~1.", ".git\\hooks",
        ".", "..", "a/b", "../x",
    ])
    func aNameThatGitForbidsIsRefused(_ name: String) async throws {
        let ground = try await Ground()
        let inner = try await ground.tree([Entry("100644", "config", ground.blob)])
        for (mode, id) in [("100644", ground.blob), ("40000", inner), ("120000", ground.blob), ("160000", inner)] {
            let commit = try await ground.commit(try await ground.tree([Entry(mode, name, id)]))
            await expectFailure(.build, commit, "Git forbids the name") { _ = try await ground.fixture.checkOut() }
        }
    }

    @Test(arguments: [".gitignore", ".github", "git", "git~2", ".git-x", ".gitmodules~1", "...", "a:b", "x.git"])
    func aNameThatOnlyLooksLikeOneIsWritten(_ name: String) async throws {
        let ground = try await Ground()
        try await ground.commit(try await ground.tree([Entry("100644", name, ground.blob)]))
        #expect(try names(await ground.fixture.checkOut()) == [name])
    }

    @Test func oddBytesAreWrittenAsTheyAre() async throws {
        let ground = try await Ground()
        let odd: [[UInt8]] = [Array("a\nb".utf8), Array("back\\slash".utf8), [0x1B, 0x5B, 0x32, 0x4A], [0xFF, 0xFE]]
        try await ground.commit(
            try await ground.tree(
                odd.sorted { $0.lexicographicallyPrecedes($1) }.map { Entry("100644", bytes: $0, ground.blob) }))
        let workspace = try await ground.fixture.checkOut()
        for name in odd {
            let path = Array(workspace.utf8) + [UInt8(ascii: "/")] + name + [0]
            #expect(
                path.withUnsafeBufferPointer { $0.withMemoryRebound(to: CChar.self) { access($0.baseAddress!, R_OK) } }
                    == 0)
        }
        #expect(try names((workspace as NSString).deletingLastPathComponent).count == 1)
    }

    @Test func namesThatDifferInCaseAreTwoFiles() async throws {
        let ground = try await Ground()
        let inner = try await ground.tree([Entry("100644", "kept", ground.blob)])
        let target = try await ground.repository.git("hash-object", "-w", "--stdin", input: Data("/tmp".utf8))
        // On a file system that is blind to case the directory would be the link.
        try await ground.commit(try await ground.tree([Entry("120000", "A", target), Entry("40000", "a", inner)]))
        #expect(try text(await ground.fixture.checkOut() + "/a/kept") == "text")
    }

    // Escape sequences, line ends and turned text, in the sentence that goes to log and terminal.
    @Test(arguments: ["a\u{1B}[2Jb", "a\nfinished: all is well", "a\u{202E}b", "a\u{9B}31mb", "a\rb"])
    func aSentenceShowsWhatItQuotes(_ name: String) async throws {
        let ground = try await Ground()
        try await ground.commit(
            try await ground.tree([Entry("100644", name, ground.blob), Entry("100644", name, ground.blob)]))
        do {
            _ = try await ground.fixture.checkOut()
            Issue.record("nothing failed")
        } catch let error as CheckoutError {
            let bad = error.description.unicodeScalars.filter {
                $0.properties.generalCategory == .control || $0 == "\u{202E}"
            }
            #expect(bad.isEmpty, "\(error)")
            #expect(error.description.contains("names it twice"))
        }
    }

    @Test func aSmallTreeOfManyFilesIsRefused() async throws {
        let ground = try await Ground()
        // Ten names for the same subtree, seven times: ten million files of a few objects.
        var tree = try await ground.tree((0..<10).map { Entry("100644", "f\($0)", ground.blob) })
        for _ in 0..<6 {
            let id = tree
            tree = try await ground.tree((0..<10).map { Entry("40000", "d\($0)", id) })
        }
        let bounds = TreeBounds(entries: 1000, bytes: 1 << 20, file: 1 << 20, path: 3000, depth: 200)
        await #expect(throws: CheckoutError.self) { try await ground.write(tree, bounds) }
        let few = TreeBounds(entries: 1 << 20, bytes: 4000, file: 1 << 20, path: 3000, depth: 200)
        await #expect(throws: CheckoutError.self) { try await ground.write(tree, few) }
        #expect(TreeBounds.standard.entries < 10_000_000)
    }

    @Test func aFileThatIsTooLargeIsNotRead() async throws {
        let ground = try await Ground()
        let tree = try await ground.tree([Entry("100644", "big", ground.blob)])
        let error = await #expect(throws: CheckoutError.self) {
            try await ground.write(tree, TreeBounds(entries: 10, bytes: 100, file: 3, path: 3000, depth: 200))
        }
        #expect(error?.description.contains("\"big\" has 4 bytes, and 3 is the most that a file may have") == true)
        #expect(error?.fault == .build)
        try await ground.write(tree, TreeBounds(entries: 1, bytes: 4, file: 4, path: 3000, depth: 200))
    }

    @Test(arguments: [(1, 300, "nested too deep"), (200, 30, "longer than 3000 bytes")])
    func aDeepOrLongPathIsRefused(length: Int, depth: Int, words: String) async throws {
        let ground = try await Ground()
        var tree = try await ground.tree([Entry("100644", "end", ground.blob)])
        for _ in 0..<depth {
            tree = try await ground.tree([Entry("40000", String(repeating: "d", count: length), tree)])
        }
        try await ground.commit(tree)
        await expectFailure(.build, words) { _ = try await ground.fixture.checkOut() }
    }

    @Test func aNameLongerThanTheFileSystemHasIsRefused() async throws {
        let ground = try await Ground()
        try await ground.commit(
            try await ground.tree([Entry("100644", String(repeating: "n", count: 256), ground.blob)]))
        await expectFailure(.build, "too long") { _ = try await ground.fixture.checkOut() }
    }

    @Test(arguments: [("10644", "neither"), ("60000", "neither"), ("20000", "neither"), ("140000", "neither")])
    func aDeviceIsNeverMade(mode: String, words: String) async throws {
        let ground = try await Ground()
        try await ground.commit(try await ground.tree([Entry(mode, "device", ground.blob)]))
        do {
            // libgit2 reads modes that Git does not know as those of files.
            let file = try await ground.fixture.checkOut() + "/device"
            var status = stat()
            #expect(lstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
        } catch let error as CheckoutError {
            #expect(error.fault == .build)
        }
    }

    @Test func attributesAndHooksRunNothing() async throws {
        let ground = try await Ground()
        let repository = ground.repository
        let mark = ground.fixture.directory["mark"]
        for hook in ["post-checkout", "pre-receive", "post-receive", "update", "reference-transaction", "upload-pack"] {
            let file = repository.path + "/.git/hooks/" + hook
            try Data("#!/bin/sh\ntouch '\(mark)'\n".utf8).write(to: URL(fileURLWithPath: file))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        }
        try await repository.commit(
            "Attributes", [".gitattributes": "* filter=evil diff=evil merge=evil text eol=crlf\n", "a": "1\n"])
        for key in ["filter.evil.smudge", "filter.evil.process", "core.fsmonitor", "uploadpack.packObjectsHook"] {
            try await repository.git("config", key, "touch '\(mark)'")
        }
        // What git itself did meanwhile.
        try? FileManager.default.removeItem(atPath: mark)
        #expect(try text(await ground.fixture.checkOut() + "/a") == "1\n")
        #expect(!FileManager.default.fileExists(atPath: mark))
    }
}
