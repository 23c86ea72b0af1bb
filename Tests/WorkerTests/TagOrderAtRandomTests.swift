import Foundation
import Model
import Queue
import TestSupport
import Testing

@testable import Worker

/// Histories, acceptances and endings in random order: in the end every tag is where the rule says.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct TagOrderAtRandomTests {
    /// Commits in which one comes after another or not, and who comes after whom.
    private struct History {
        var commits: [CommitID] = []
        var ancestors: [CommitID: Set<CommitID>] = [:]

        /// Makes them at random, and brings all to the mirror.
        init(_ count: Int, in yard: Yard, _ random: inout Seeded) async throws {
            let tree = try yard.git.git("write-tree")
            for number in 0..<count {
                let parents = (0..<(number == 0 ? 0 : Int.random(in: 1...2, using: &random))).compactMap { _ in
                    commits.suffix(6).randomElement(using: &random)
                }
                let arguments = Set(parents).flatMap { ["-p", $0.text] }
                let commit = try CommitID(
                    GitProject.git(["commit-tree", tree, "-m", "\(number)"] + arguments, in: yard.git.tree))
                commits.append(commit)
                ancestors[commit] = parents.reduce(into: Set(parents)) { $0.formUnion(ancestors[$1] ?? []) }
            }
            let all = commits.flatMap { ["-p", $0.text] }
            let head = try GitProject.git(["commit-tree", tree, "-m", "all"] + all, in: yard.git.tree)
            try yard.git.git("push", "-q", "-f", "origin", "\(head):refs/heads/all")
            _ = try await yard.mirror.fetch(RefName("refs/heads/all"))
        }
    }

    /// Rising: prereleases first, as every release is above them.
    private static let versions = [
        "v1.4.2-rc.1", "v1.5.0-rc.1", "v1.5.0-rc.2", "v2.0.0-beta.2", "v2.0.0-beta.11", "v1.4.0", "v1.4.1", "v1.4.2",
        "v1.4.10", "v1.5", "v2.0.0",
    ]
    private static let rules = [
        Yard.rule(1, tags: "edge", "nightly"),
        Yard.rule(2, Yard.tagRule.source, tags: "{major}.{minor}", "latest", "{tag}"),
        Yard.rule(3, Yard.tagRule.source, tags: "newest", order: .commit),
    ]

    @Test(arguments: 1...6)
    func everyTagIsWhereTheRuleSays(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        let registry = try FakeRegistry()
        let yard = try await Yard(host: registry.host)
        let history = try await History(16, in: yard, &random)
        for _ in 0..<30 {
            let rule = try #require(Self.rules.randomElement(using: &random))
            let version = try #require(Self.versions.randomElement(using: &random))
            let commit = try #require(history.commits.randomElement(using: &random))
            try await yard.accept(rule.number == 1 ? "refs/heads/main" : "refs/tags/\(version)", at: commit, rule)
        }
        let builds = try await yard.claim()
        var taggings: [Tagging] = []
        for build in builds { taggings.append(try await yard.pushed(build, registry.push("build \(build.id)"))) }
        taggings.shuffle(using: &random)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, tagging) in taggings.enumerated() {
                if index >= 4 { try await group.next() }
                group.addTask {
                    try await tagging.move(tagging.build.tags.map(\.name))
                    try await yard.store.finish(tagging.build.hold)
                }
            }
            try await group.waitForAll()
        }

        let digests = Dictionary(uniqueKeysWithValues: taggings.map { ($0.build.id, $0.manifest.digest) })
        for name in Set(builds.flatMap(\.tags).map(\.name)) {
            let wanting = builds.filter { $0.tags.contains { $0.name == name } }
            let expected = try #require(wanting.max { isNewer($1, than: $0, among: wanting, history) })
            #expect(try await yard.holder(name.text)?.build == expected.id, "\(name) of seed \(seed)")
            #expect(registry[name.text] == digests[expected.id]?.text, "\(name) of seed \(seed)")
        }
    }

    /// The rule in one sentence each. Versions: the greatest, and of one version the last accepted. Commits: of the
    /// builds whose commit is in no other's history, the last accepted.
    private func isNewer(_ one: Build, than other: Build, among all: [Build], _ history: History) -> Bool {
        func rank(_ build: Build) -> Int {
            if build.rule.number == 2 { return Self.versions.firstIndex(of: build.ref.name) ?? -1 }
            let later = all.compactMap(\.commit).compactMap { history.ancestors[$0] }
            return later.contains { build.commit.map($0.contains) ?? false } ? 0 : 1
        }
        return (rank(one), one.id) > (rank(other), other.id)
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
