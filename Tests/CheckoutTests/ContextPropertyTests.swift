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
        let tree = RandomTree(ground.fixture.repository)
        var commits = [try CommitID(await ground.fixture.repository.commit())]
        for _ in 0..<24 {
            try await tree.change(commits.map(\.text), &random)
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
