import CGit2
import Foundation
import Model
import TestSupport
import Testing

@testable import Checkout

/// What is read of a large tree, counted.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct ContextWalkTests {
    private func walk(
        _ ground: Ground, _ revision: String, _ known: SeenTrees, ignoring text: String = "*.md\n",
        _ engine: BuilderKind = .buildKit, bounds: TreeBounds = .standard
    ) async throws -> (id: String, treesRead: Int) {
        GitLibrary.start()
        let tree = try await ground.git("rev-parse", "\(revision)^{tree}")
        let path = ground.fixture.repository.path
        return try await NetworkCall.run(silence: .seconds(30)) { call in
            let opened = try GitHandle("open", free: git_repository_free) { git_repository_open(&$0, path) }
            var id = git_oid()
            #expect(git_oid_fromstr(&id, tree) == 0)
            var walk = ContextWalk(
                opened.pointer, ignoring: text, engine: engine, dockerfile: "Dockerfile", known: known, call,
                bounds: bounds)
            return (try walk.seen(of: id).first ?? "", walk.treesRead)
        }
    }

    /// 25 folders of 4 folders of 2 files.
    private func large() async throws -> Ground {
        let ground = try await Ground()
        for i in 0..<25 {
            for j in 0..<4 {
                for k in 0..<2 { try ground.write("f\(i)/g\(j)/h\(k)", "\(i) \(j) \(k)") }
            }
        }
        _ = try await ground.fixture.repository.commit()
        return ground
    }

    @Test func aSecondCommitReadsWhatItChanged() async throws {
        let (ground, known) = (try await large(), SeenTrees())
        #expect(try await walk(ground, "HEAD", known).treesRead == 1 + 25 + 100)
        #expect(try await walk(ground, "HEAD", known).treesRead == 0)
        try ground.write("f7/g1/h0", "new")
        try ground.write("f7/g2/more.md", "new")
        _ = try await ground.fixture.repository.commit()
        // The root, the folder, and its two.
        let next = try await walk(ground, "HEAD", known)
        #expect(next.treesRead == 4)
        #expect(try await walk(ground, "HEAD~1", known).treesRead == 0)
        // Another ignore file or engine decides anew.
        #expect(try await walk(ground, "HEAD", known, ignoring: "*.c\n").treesRead == 126)
        #expect(try await walk(ground, "HEAD", known, .buildah).treesRead == 126)
        // And what is remembered is what is read.
        #expect(try await walk(ground, "HEAD", SeenTrees()).id == next.id)
    }

    @Test func littleIsRememberedAndTheLastUsedFirst() async throws {
        let (ground, known) = (try await large(), SeenTrees(most: 20))
        let first = try await walk(ground, "HEAD", known)
        #expect(try await walk(ground, "HEAD", known).treesRead == 0)
        let keys = (0..<100).map { n in Array("key \(n)".utf8) }
        let seen = SeenTrees.Seen(id: git_oid(), sight: .seen, isUnsure: false)
        for key in keys.prefix(5) { known[key] = seen }
        for key in keys {
            known[key] = seen
            #expect(known[keys[0]] != nil)
        }
        #expect(keys.count { known[$0] != nil } <= 20)
        let again = try await walk(ground, "HEAD", known)
        #expect(again.id == first.id && again.treesRead > 0)
    }

    @Test func whereNothingIsLeftOutItIsTheTreeItself() async throws {
        let ground = try await large()
        let tree = try await ground.git("rev-parse", "HEAD^{tree}")
        #expect(try await walk(ground, "HEAD", SeenTrees(), ignoring: "").id == tree)
    }

    @Test func aHostileTreeIsADoubt() async throws {
        let ground = try await large()
        for bounds in [
            TreeBounds(entries: 100, bytes: 0, file: 0, path: 3000, depth: 200),
            TreeBounds(entries: 1000, bytes: 0, file: 0, path: 5, depth: 200),
            TreeBounds(entries: 1000, bytes: 0, file: 0, path: 3000, depth: 2),
        ] {
            await #expect(throws: Doubt.self) { _ = try await walk(ground, "HEAD", SeenTrees(), bounds: bounds) }
        }
        try FileManager.default.createDirectory(atPath: ground.path("odd"), withIntermediateDirectories: true)
        let odd = Array(ground.path("odd/").utf8) + [0xFF, 0xFE, 0]
        let file = odd.withUnsafeBufferPointer {
            $0.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_CREAT | O_WRONLY, 0o644) }
        }
        #expect(file >= 0)
        close(file)
        try ground.write("back\\slash\n\u{1B}[2J", "")
        let commit = try await ground.commit()
        try ground.write(".dockerignore", "*.md\n")
        let context = try await ground.context(try await ground.commit())
        #expect(context.doubt?.contains("not UTF-8") == true, "\(context)")
        // Nothing is matched where there is no ignore file.
        #expect(try await ground.context(commit).known != nil)
    }
}
