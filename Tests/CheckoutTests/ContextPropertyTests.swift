import Foundation
import Model
import Platform
import TestSupport
import Testing

@testable import Checkout

/// Random trees, changes and ignore files: two digests are equal exactly when what an engine sees is, as read from real
/// checkouts on the disk.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct ContextPropertyTests {
    private static let folders = ["", "", "a/", "a/b/", "a/b/c/", "docs/", "ü λ/", ".hidden/", "app/", "app/src/"]
    private static let files = ["x.md", "y.c", "z", ".env", "README.md", "ö.c"]
    private static let patterns = [
        "*.md", "**/*.md", "a", "a/b", "docs/*", "!docs/README.md", "**/.env", "*", "!a", "!app", "!app/src/y.c", "ü λ",
        "!**/*.c", ".hidden", "a/**/z", "# nothing", "app/src", "!a/b/c/x.md", "**", "Dockerfile", ".dockerignore",
    ]

    struct Seen {
        let step: Int
        let digest: Digest
        let entries: [String]
    }

    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func theDigestIsWhatIsSeen(seed: UInt64) async throws {
        var random = Random(seed: seed)
        let ground = try await Ground()
        for name in ["app/Dockerfile", "a/x.md", "docs/README.md"] { try ground.write(name, "1") }
        var commits = [try CommitID(await ground.fixture.repository.commit())]
        for _ in 0..<24 {
            try await change(ground, commits, &random)
            commits.append(try CommitID(await ground.fixture.repository.commit()))
        }
        _ = try await ground.mirror.fetch(RefName("refs/heads/main"))
        var seen: [String: [Seen]] = [:]
        for (step, commit) in commits.enumerated() {
            let workspace = ground.fixture.workspace()
            try await ground.mirror.checkOut(commit, into: workspace)
            for engine in BuilderKind.allCases {
                for folder in ["/", "app"] {
                    let context = try await ground.context(commit, Ground.rule(nil, folder), engine)
                    let known = try #require(context.known, "\(context)")
                    let entries = try entries(workspace + (folder == "/" ? "" : "/app"), engine)
                    seen["\(engine)", default: []].append(
                        Seen(step: step, digest: known.digest, entries: entries))
                }
            }
        }
        for (engine, seen) in seen {
            for (i, one) in seen.enumerated() {
                for other in seen[i...] where (one.digest == other.digest) != (one.entries == other.entries) {
                    Issue.record("seed \(seed), \(engine), steps \(one.step) and \(other.step)")
                }
            }
            // Something must be equal, and something not, or nothing was asked.
            #expect(Set(seen.map(\.digest)).count > 5 && Set(seen.map(\.digest)).count < seen.count)
        }
    }

    /// One random change of the work tree.
    private func change(_ ground: Ground, _ commits: [CommitID], _ random: inout Random) async throws {
        let manager = FileManager.default
        let name = random.pick(Self.folders) + random.pick(Self.files)
        let file = ground.path(name)
        func clear() throws {
            // The folder may be a file by now.
            var above = (name as NSString).deletingLastPathComponent
            while !above.isEmpty {
                if (try? manager.attributesOfItem(atPath: ground.path(above))[.type] as? FileAttributeType)
                    .map({ $0 != .typeDirectory }) == true
                {
                    try ground.remove(above)
                }
                above = (above as NSString).deletingLastPathComponent
            }
            if (try? manager.attributesOfItem(atPath: file)) != nil { try ground.remove(name) }
            try manager.createDirectory(
                atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        }
        switch random.below(10) {
        case 0...3:
            try clear()
            try ground.write(name, random.pick(["1", "2", "3"]))
        case 4:
            try clear()
            try ground.link(name, to: random.pick(["1", "/etc/passwd", "../z"]))
        case 5:
            try clear()
            try ground.write(name, "1")
            try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        case 6:
            if manager.fileExists(atPath: file) { try ground.remove(name) }
        case 7, 8:
            let lines = (0..<random.below(5)).map { _ in random.pick(Self.patterns) }
            try ground.write(
                random.pick(["", "app/"]) + random.pick([".dockerignore", ".dockerignore", ".containerignore"]),
                lines.joined(separator: "\n"))
        default:
            try await ground.git("read-tree", "-u", "--reset", random.pick(commits).text)
        }
    }

    /// What an engine sees of a context on the disk: path, mode and content of each entry, in order.
    private func entries(_ context: String, _ engine: BuilderKind) throws -> [String] {
        let name = IgnoreFile.names(dockerfile: "Dockerfile", engine: engine).first {
            FileManager.default.fileExists(atPath: "\(context)/\($0)")
        }
        let ignore = try name.map { IgnoreFile(try text("\(context)/\($0)"), engine: engine) }
        func walk(_ folder: String) throws -> [String] {
            try names("\(context)/\(folder)").flatMap { name -> [String] in
                let path = folder + name
                let isLeftOut = ignore?.leavesOut(path) ?? false
                let attributes = try FileManager.default.attributesOfItem(atPath: "\(context)/\(path)")
                switch attributes[.type] as? FileAttributeType {
                case .typeDirectory:
                    let inner = try walk(path + "/")
                    return (isLeftOut && inner.isEmpty ? [] : ["\(path) folder"]) + inner
                case .typeSymbolicLink:
                    let target = try FileManager.default.destinationOfSymbolicLink(atPath: "\(context)/\(path)")
                    return isLeftOut ? [] : ["\(path) link \(target)"]
                default:
                    let mode = attributes[.posixPermissions] as? Int ?? 0
                    return isLeftOut ? [] : ["\(path) \(mode) \(try text("\(context)/\(path)"))"]
                }
            }
        }
        return try walk("")
    }
}
