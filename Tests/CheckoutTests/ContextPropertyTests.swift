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
                    let entries = try entries(workspace, folder, engine)
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
            var above = name.split(separator: "/").dropLast().joined(separator: "/")
            while !above.isEmpty {
                if (try? manager.attributesOfItem(atPath: ground.path(above))[.type] as? FileAttributeType)
                    .map({ $0 != .typeDirectory }) == true
                {
                    try ground.remove(above)
                }
                above = above.split(separator: "/").dropLast().joined(separator: "/")
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

    /// What an engine sees of a context on the disk: path, mode and content of each entry, in order; where versions of it
    /// may differ, the patterns too.
    private func entries(_ workspace: String, _ folder: String, _ engine: BuilderKind) throws -> [String] {
        let inner = folder == "/" ? "" : folder + "/"
        let name = IgnoreFile.names(
            dockerfile: inner + "Dockerfile", context: folder == "/" ? "" : folder, engine: engine
        ).first { FileManager.default.fileExists(atPath: "\(workspace)/\($0)") }
        let ignore = try name.map {
            IgnoreFile(try text("\(workspace)/\($0)"), engine: engine, dockerfile: "Dockerfile")
        }
        var sights: Set<IgnoreFile.Sight> = []
        func walk(_ folder: String) throws -> [String] {
            try names("\(workspace)/\(inner)\(folder)").flatMap { name -> [String] in
                let path = folder + name
                let file = "\(workspace)/\(inner)\(path)"
                let attributes = try FileManager.default.attributesOfItem(atPath: file)
                let isDirectory = attributes[.type] as? FileAttributeType == .typeDirectory
                let sight = ignore?.sight(of: path, isDirectory: isDirectory) ?? .seen
                let below = isDirectory && ignore?.mayTakeIn(below: path) != false ? try walk(path + "/") : []
                if sight == .leftOut && below.isEmpty { return [] }
                if sight == .unsure { sights.insert(.unsure) }
                switch attributes[.type] as? FileAttributeType {
                case .typeDirectory: return ["\(path) folder"] + below
                case .typeSymbolicLink:
                    return ["\(path) link \(try FileManager.default.destinationOfSymbolicLink(atPath: file))"]
                default: return ["\(path) \(attributes[.posixPermissions] as? Int ?? 0) \(try text(file))"]
                }
            }
        }
        return try walk("") + (sights.isEmpty ? [] : [ignore?.patterns ?? ""])
    }
}
