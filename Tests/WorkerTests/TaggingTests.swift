import Foundation
import Model
import Platform
import Queue
import Synchronization
import TestSupport
import Testing

@testable import Worker

/// Which build a tag is at in the end, and what becomes of the tags that fail.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct TaggingTests {
    private let registry: FakeRegistry

    init() throws { registry = try FakeRegistry() }

    /// Pushes these Git tags one after the other, each of a commit after the last one's.
    ///
    /// - Returns: what became of the last build's tag.
    private func release(_ tags: String..., order: Rule.Order = .version) async throws -> BuildTag {
        let yard = try await Yard(host: registry.host)
        var last: Build?
        for (number, tag) in tags.enumerated() {
            let rule = Yard.rule(2, Yard.tagRule.source, tags: "latest", order: order)
            last = try await yard.finish("refs/tags/\(tag)", at: yard.commit(), rule, registry.push("\(number)"))
        }
        return try #require(last?.tags.first)
    }

    @Test func aVersionNeverGoesBack() async throws {
        let tag = try await release("v1.4.2", "v1.4.1")
        #expect(!tag.moved)
        #expect(tag.reason == "it is at build 1 (v1.4.2), a later version than v1.4.1")
        #expect(try await release("v1.4.2", "v1.10.0").moved)
        #expect(try await release("v1.4.2", "v1.4").moved == false)
    }

    @Test func aPrereleaseIsNotTheLatest() async throws {
        let tag = try await release("v1.4.2", "v1.5.0-rc.1")
        #expect(!tag.moved)
        #expect(tag.reason == "it is at build 1 (v1.4.2), a release, and v1.5.0-rc.1 is a prerelease")
        #expect(try await release("v1.5.0-rc.1", "v1.4.2").moved)
        #expect(try await release("v1.5.0-rc.1", "v1.5.0-rc.2").moved)
    }

    /// Each of the first four is answered only once all four were asked for.
    @Test func severalTagsMoveAtOnce() async throws {
        let yard = try await Yard(host: registry.host)
        let names = (1...6).map { "t\($0)" }
        let rule = Yard.rule(1, .branch(try Pattern("main")), tags: "t1", "t2", "t3", "t4", "t5", "t6")
        let asked = Mutex<Set<String>>([])
        let (four, late) = (DispatchSemaphore(value: 0), Flag())
        registry.spoil { request in
            guard request.method == "HEAD", let tag = request.target.split(separator: "/").last.map(String.init),
                names.contains(tag)
            else { return nil }
            let (isNew, count) = asked.withLock { ($0.insert(tag).inserted, $0.count) }
            guard isNew, count <= Tagging.width else { return nil }
            if count == Tagging.width { for _ in 1..<count { four.signal() } }
            if count < Tagging.width, four.wait(timeout: .now() + 20) == .timedOut { late.raise() }
            return nil
        }
        let build = try await yard.finish("refs/heads/main", at: yard.commit(), rule, registry.push("a"))
        #expect(!late.isUp)
        #expect(build.tags.map(\.moved) == Array(repeating: true, count: names.count))
    }

    /// Its commit counts for nothing, only that it was accepted later.
    @Test func aGitTagThatWasMovedIsTheLaterOne() async throws {
        let yard = try await Yard(host: registry.host)
        let (older, newer) = (try await yard.commit(), try await yard.commit())
        try await yard.finish("refs/tags/v1.4.2", at: newer, Yard.tagRule, registry.push("a"))
        let moved = try await yard.finish("refs/tags/v1.4.2", at: older, Yard.tagRule, registry.push("b"))
        #expect(moved.tags.map(\.moved) == [true, true])

        // Two at once, the later first.
        for commit in [newer, older] { try await yard.accept("refs/tags/v1.4.3", at: commit, Yard.tagRule) }
        var taggings: [Tagging] = []
        for build in try await yard.claim() {
            taggings.append(try await yard.pushed(build, registry.push("at once \(build.id)")))
        }
        for tagging in taggings.reversed() { try await tagging.move([Tag("1.4")]) }
        #expect(try await yard.holder("1.4")?.build == 4)
        let reason = try await yard.store.build(3)?.tags.first?.reason
        #expect(reason == "it is at build 4 (v1.4.3), the same version, which was accepted after build 3")
    }

    @Test func whatAGitTagNamedBeforeTakesNothingBack() async throws {
        let yard = try await Yard(host: registry.host)
        let (first, second) = (try await yard.commit(), try await yard.commit())
        func build(_ commit: CommitID, _ text: String, told kind: Cause.Kind) async throws -> [BuildTag] {
            try await yard.finish("refs/tags/v1.4.2", at: commit, Yard.tagRule, registry.push(text), told: kind).tags
        }
        _ = try await build(first, "a", told: .poll)
        _ = try await build(second, "b", told: .poll)
        let again = try await build(first, "c", told: .retry)
        #expect(again.map(\.moved) == [false, false])
        let reason = "it is at build 2 (v1.4.2), the same version, which was accepted after build 1"
        #expect(again.first?.reason == reason)
        // What it names now may be built again.
        #expect(try await build(second, "d", told: .retry).map(\.moved) == [true, true])
    }

    @Test func whereTheRuleSaysCommitVersionsDontCount() async throws {
        #expect(try await release("v1.4.2", "v1.4.1", order: .commit).moved)
    }

    @Test func whatHasNoVersionGoesByItsCommit() async throws {
        #expect(try await release("v1.4.2", "nightly").moved)
        let yard = try await Yard(host: registry.host)
        let (older, newer) = (try await yard.commit(), try await yard.commit())
        try await yard.finish("refs/heads/main", at: newer, Yard.rule(tags: "latest"), registry.push("a"))
        let release = try await yard.finish("refs/tags/v1.4.2", at: older, Yard.tagRule, registry.push("b"))
        #expect(release.tags.map(\.moved) == [true, false])
        #expect(release.tags.last?.reason?.contains("whose commit came after") == true)
    }

    /// One line is left for another by a forced push, and then an old push of the first is told.
    @Test func aLateTellingOfALeftLineMovesNothing() async throws {
        let yard = try await Yard(host: registry.host)
        let rule = Yard.rule(tags: "latest")
        let root = try await yard.commit()
        let (a, b) = (try await yard.commit(), try await yard.commit())
        try yard.git.git("reset", "-q", "--hard", root.text)
        let c = try await yard.commit()
        for commit in [b, c] {
            let build = try await yard.finish("refs/heads/main", at: commit, rule, registry.push(commit.text))
            #expect(build.tags.map(\.moved) == [true])
        }
        let late = try await yard.finish("refs/heads/main", at: a, rule, registry.push("late"))
        #expect(late.tags.first?.moved == false)
        let reason = try #require(late.tags.first?.reason)
        #expect(
            reason.contains("build 2 (\(c.prefix(12))), which was accepted after build 1, whose commit"), "\(reason)")
    }

    @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    func inWhateverOrderTheyEndTheTagIsAtTheLineThatWasToldOfLast(_ order: [Int]) async throws {
        let yard = try await Yard(host: registry.host)
        let root = try await yard.commit()
        let (a, b) = (try await yard.commit(), try await yard.commit())
        try yard.git.git("reset", "-q", "--hard", root.text)
        let c = try await yard.commit()
        for commit in [b, c, a] { try await yard.accept("refs/heads/main", at: commit, Yard.rule(tags: "latest")) }
        var taggings: [Tagging] = []
        for build in try await yard.claim() {
            taggings.append(try await yard.pushed(build, registry.push("\(build.id)")))
        }
        for index in order { try await taggings[index].move([Tag("latest")]) }
        #expect(try await yard.holder("latest")?.commit == c)
    }

    /// The mirror was damaged and made anew, and then an older commit is built again.
    @Test func aMirrorThatWasMadeAnewForgetsNoOrder() async throws {
        let yard = try await Yard(host: registry.host)
        let rule = Yard.rule(tags: "latest")
        let (older, newer) = (try await yard.commit(), try await yard.commit())
        try await yard.finish("refs/heads/main", at: newer, rule, registry.push("newer"))
        try FileManager.default.removeItem(atPath: yard.folder["mirrors"])
        try yard.git.git("push", "-q", "origin", "\(older):refs/heads/old")
        _ = try await yard.mirror.fetch(RefName("refs/heads/old"), commit: older)
        let again = try await yard.finish("refs/heads/main", at: older, rule, registry.push("again"))
        #expect(again.tags.first?.moved == false)
        #expect(again.tags.first?.reason?.contains("whose commit came after") == true, "\(again)")
    }

    // MARK: Failures

    @Test func aTagThatFailsKeepsNoOtherFromMoving() async throws {
        let yard = try await Yard(host: registry.host)
        registry.spoil { $0.method == "PUT" && $0.target.hasSuffix("/1.4") ? .answer(503) : nil }
        try await yard.accept("refs/tags/v1.4.2", at: yard.commit(), Yard.tagRule)
        let tagging = try await yard.pushed(try #require(try await yard.claim().first), registry.push("a"))
        let names = tagging.build.tags.map(\.name)
        let failure = await #expect(throws: Failure.self) { try await tagging.move(names) }
        #expect(failure?.kind == .system && failure?.stage == .tag)
        #expect(failure?.message.hasPrefix("1 of 2 tags are left (1.4): could not put the manifest") == true)
        #expect(try await yard.holder("1.4") == nil)
        #expect(try await yard.holder("latest")?.digest == tagging.manifest.digest)

        // The next attempt goes straight to what is left.
        registry.spoil { _ in nil }
        let before = registry.puts.count
        try await yard.store.retry(tagging.build.hold, try #require(failure), after: .zero)
        let again = try await yard.pushed(try #require(try await yard.claim().first), tagging.manifest)
        try await again.move(names)
        #expect(Array(registry.puts.dropFirst(before)) == ["1.4"])
        #expect(try await yard.store.build(1)?.tags.map(\.moved) == [true, true])
    }

    @Test func anAttemptThatLostItsLeasePutsNothingMore() async throws {
        let queue = Mutex<DatabaseStore?>(nil)
        let time = Unhurried {
            let store = queue.withLock { $0 }
            _ = try await store?.rescue(all: true, tries: 9)
        }
        let yard = try await Yard(host: registry.host, time: time)
        queue.withLock { $0 = yard.store }
        registry.spoil { $0.method == "PUT" ? .answer(503) : nil }
        try await yard.accept("refs/heads/main", at: yard.commit(), Yard.rule(tags: "latest", "main"))
        let tagging = try await yard.pushed(try #require(try await yard.claim().first), registry.push("a"))
        await #expect(throws: LeaseLost.self) { try await tagging.move(tagging.build.tags.map(\.name)) }
        // Once each at most: what was sent while the lease held.
        let puts = Set(registry.puts)
        #expect(!puts.isEmpty && puts.count == registry.puts.count)
        let suspects = await withDeadline(.seconds(60)) { await yard.tools.suspects.next() }
        #expect(Set(suspects?.map(\.name.text) ?? []) == puts)
    }

    @Test func aTagThatIsBusyIsWaitedFor() async throws {
        let yard = try await Yard(host: registry.host)
        for _ in 1...2 { try await yard.accept("refs/heads/main", at: yard.commit(), Yard.rule(tags: "latest")) }
        let builds = try await yard.claim()
        let first = try await yard.pushed(builds[0], registry.push("a"))
        let second = try await yard.pushed(builds[1], registry.push("b"))
        _ = try await yard.store.startMoving(first.build.hold, tag: Tag("latest"))
        async let moved: Void = second.move([Tag("latest")])
        try await first.move([Tag("latest")])
        try await moved
        #expect(try await yard.holder("latest")?.build == 2)
        #expect(registry["latest"] == second.manifest.digest.text)
    }
}
