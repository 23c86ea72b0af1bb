import Checkout
import Foundation
import Model
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Random trees and changes, built by the engines themselves: what the context's digest is over is what they see.
    @Suite(.dockerDaemon, .enabled(if: GitRepository.isPossible, "needs git"))
    struct SeenTests {
        @Test(.enabled(if: Bench.isHere(.buildKit), "needs root, and docker 20.10 or docker with buildx"))
        func byBuildKit() async throws { try await compare(.buildKit, seed: 21) }

        @Test(.enabled(if: Bench.isHere(.buildah), "needs the Debian package buildah"))
        func byBuildah() async throws { try await compare(.buildah, seed: 22) }

        private func compare(_ engine: BuilderKind, seed: UInt64, changes: Int = 24) async throws {
            let folder = try TemporaryDirectory()
            let repository = try await GitRepository.make(at: folder["source"])
            let mirror = Mirrors(directory: folder["mirrors"], log: Log(sink: { _ in })).mirror(
                for: try RepositoryName("acme/shop"), source: try GitSource(repository.path), credentials: nil)
            let rule = Rule(
                number: 1, source: .defaultBranch, tags: [try Template("latest")],
                commitTag: try Template("sha-{sha12}"))
            let bench = try Bench(engine)
            let tree = RandomTree(repository)
            var random = Random(seed: seed)
            var commits = [
                try await repository.commit(
                    "Begin", ["Dockerfile": "FROM scratch\nCOPY . /\n", "a/x.md": "1", "docs/README.md": "1"])
            ]
            var seen: [(digest: Digest, entries: [String])] = []
            for number in 0...changes {
                let commit = try await mirror.fetch(RefName("refs/heads/main"), commit: CommitID(commits[number])).id
                let workspace = folder["\(number)"]
                try await mirror.checkOut(commit, into: workspace)
                guard case .known(let known) = try await mirror.context(of: commit, for: rule, engine: engine) else {
                    throw Failure(.build, .build, "the context of step \(number) is not known")
                }
                // An engine may refuse to copy nothing.
                if let entries = try await bench.see(workspace, number) { seen.append((known.digest, entries)) }
                try await tree.change(commits, &random)
                commits.append(try await repository.commit())
            }
            for (i, one) in seen.enumerated() {
                for (j, other) in seen.enumerated().dropFirst(i) {
                    #expect(
                        (one.digest == other.digest) == (one.entries == other.entries), "seed \(seed), \(i) and \(j)")
                }
            }
            // Something must be equal, and something not, or nothing was asked.
            let digests = Set(seen.map(\.digest))
            #expect(digests.count > 5 && digests.count < seen.count, "\(digests.count) of \(seen.count)")
        }
    }
}
