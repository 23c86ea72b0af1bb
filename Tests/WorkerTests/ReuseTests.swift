import Foundation
import Model
import Platform
import Queue
import Synchronization
import TestSupport
import Testing

@testable import Worker

/// Which builds take another's image, and what becomes of those that can't.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct ReuseTests {
    @Test func nothingChanged() async throws {
        let shop = try await Shop(reuse: true)
        let first = try await shop.end(of: shop.push("a"))
        #expect(first.reused == nil)
        #expect(first.reuse == "no build of \(first.image) had these inputs")
        let second = try await shop.end(of: shop.push(nil))
        #expect(second.state == .finished, "\(second)")
        #expect(shop.engine.count == 1)
        #expect(second.reused == first.id)
        #expect(second.reuse == "its inputs are those of build \(first.id)")
        #expect(second.digest == first.digest)
        #expect(second.tags.map(\.moved) == [true])
        #expect(second.inputs?.key != nil)
        #expect(second.inputs == first.inputs)
        let sentence =
            "nothing changed since build \(first.id) (commit \(first.commit?.prefix(7) ?? "")): its image is taken"
        let log = try await shop.log(of: second)
        #expect(log.contains("slipway: \(sentence)\n"), "\(log)")
        #expect(!log.contains("checked out"))
        let commitTag = try #require(second.commitTag)
        #expect(shop.asked("PUT").map(\.target) == ["/v2/acme/shop/manifests/\(commitTag)"])
        // Another image is built, and the one after it is the same again.
        #expect(try await shop.end(of: shop.push("b")).reused == nil)
        #expect(try await shop.end(of: shop.push(nil)).reused == 3)
        #expect(shop.engine.count == 2)
    }

    @Test func otherRulesMakeOtherImages() async throws {
        let shop = try await Shop(reuse: true)
        try shop.git.write("Dockerfile", "ARG A\nFROM scratch AS one\nARG A\nFROM one AS two\n")
        let first = try await shop.end(of: shop.push("a"))
        let commit = try #require(first.commit)
        let changes: [(inout Rule) -> Void] = [
            { $0.target = "one" }, { $0.buildArgs = ["A": "1"] }, { $0.limits.network = .none },
        ]
        for (index, change) in changes.enumerated() {
            let build = try await shop.tell(commit, commitTag: "c-\(index)", changing: change)
            #expect(try await shop.end(of: build).reused == nil)
        }
        #expect(shop.engine.count == 4)
        // What makes no other image.
        let same = try await shop.tell(commit, commitTag: "same") {
            $0.buildArgs = ["NOT_ASKED_FOR": "1"]
            $0.timeout = 60
        }
        #expect(try await shop.end(of: same).reused == first.id)
    }

    @Test func whoWantsNoReuseGetsNone() async throws {
        let shop = try await Shop(reuse: true)
        let first = try await shop.end(of: shop.push("a"))
        let commit = try #require(first.commit)
        let cases: [(String, fresh: Bool, cached: Bool, (inout Rule) -> Void)] = [
            ("reuse: false in the rule", false, true, { $0.reuse = false }),
            ("cache: false in the rule", false, false, { $0.cache = false }),
            ("asked for with --no-cache", true, false, { _ in }),
            ("the image of build 4 is older than max_age", false, true, { $0.maxAge = 0 }),
        ]
        for (number, (reason, fresh, cached, change)) in cases.enumerated() {
            let build = try await shop.end(
                of: shop.tell(commit, commitTag: "c-\(number)", changing: change, isFresh: fresh))
            #expect(build.state == .finished, "\(build)")
            #expect(build.reuse == reason)
            #expect(build.reused == nil)
            #expect(build.inputs?.key == first.inputs?.key)
            #expect(shop.engine.cached.withLock { $0.last } == cached)
            #expect(try await shop.log(of: build).contains("slipway: an image is built: \(reason)\n"))
        }
        #expect(shop.engine.count == 1 + cases.count)
    }

    @Test func anImageThatIsGoneIsBuilt() async throws {
        let isGone = Flag()
        let shop = try await Shop(reuse: true) { request in
            isGone.isUp && request.method == "GET" && request.target.contains("sha256:") ? .answer(404) : nil
        }
        let first = try await shop.end(of: shop.push("a"))
        isGone.raise()
        let second = try await shop.end(of: shop.push(nil))
        #expect(second.state == .finished)
        #expect(second.reused == nil)
        #expect(second.reuse == "the image of build \(first.id) is no longer in the registry")
        #expect(shop.engine.count == 2)
    }

    /// The registry has the manifest, but does not take it: of what it names something is gone.
    @Test func anImageThatCannotBeTakenIsBuilt() async throws {
        let (isBroken, isPushed) = (Flag(), Flag())
        let shop = try await Shop(reuse: true) { request in
            guard isBroken.isUp, !isPushed.isUp, request.target.contains("manifests/sha-") else { return nil }
            return .answer(request.method == "PUT" ? 400 : 404)
        }
        let first = try await shop.end(of: shop.push("a"))
        isBroken.raise()
        shop.engine.does { step, _ in if step == .push { isPushed.raise() } }
        let second = try await shop.end(of: shop.push(nil))
        #expect(second.state == .finished, "\(second)")
        #expect(second.attempt == 2)
        #expect(second.reused == nil)
        #expect(second.reuse == "an earlier attempt could not take the image of build \(first.id)")
        #expect(shop.engine.count == 2)
    }

    @Test func ofBuildsWithOneKeyOneIsWithTheEngine() async throws {
        let shop = try await Shop(workers: 3, reuse: true)
        let commit = try shop.commit("a")
        var builds: [Build] = []
        for name in ["one", "two", "three"] {
            let tags = [try Template(name)]
            builds.append(try await shop.tell(commit, commitTag: "sha-{sha12}-\(name)") { $0.tags = tags })
        }
        let others = builds.map(\.id)
        shop.engine.does { [shop] step, _ in
            guard step == .build else { return }
            // It ends once the two others wait for it.
            let waits = try await shop.logs(of: others, hold: "waiting for another build with the same inputs", 2)
            #expect(waits)
        }
        let waited = builds
        let ends = try await shop.work {
            var ends: [Build] = []
            for build in waited { ends.append(try await shop.wait(for: build) { $0.state.isEnd }) }
            return ends
        }
        #expect(ends.map(\.state) == [.finished, .finished, .finished])
        #expect(shop.engine.count == 1)
        #expect(ends.filter { $0.reused == nil }.count == 1)
    }

    @Test func whereTheFirstFailsTheSecondIsBuilt() async throws {
        let shop = try await Shop(workers: 2, reuse: true)
        let commit = try shop.commit("a")
        let other = [try Template("two")]
        let builds = [
            try await shop.tell(commit, commitTag: "sha-{sha12}-one"),
            try await shop.tell(commit, commitTag: "sha-{sha12}-two") { $0.tags = other },
        ]
        let ids = builds.map(\.id)
        shop.engine.does { [shop] step, count in
            guard step == .build, count == 1 else { return }
            let waits = try await shop.logs(of: ids, hold: "waiting for another build with the same inputs", 1)
            #expect(waits)
            throw Failure(.build, .build, "it fails")
        }
        let ends = try await shop.work {
            try await [shop.wait(for: builds[0]) { $0.state.isEnd }, shop.wait(for: builds[1]) { $0.state.isEnd }]
        }
        #expect(Set(ends.map(\.state)) == [.failed, .finished])
        #expect(shop.engine.count == 2)
    }

    /// It is lost when it has put the commit tag, or just before.
    @Test(arguments: [false, true])
    func aLostAttemptIsFollowedByAnother(put: Bool) async throws {
        let isPushed = Flag()
        let shop = try await Shop(reuse: true) { request in
            !put && !isPushed.isUp && request.method == "GET" && request.target.hasSuffix("-lost") ? .answer(404) : nil
        }
        let first = try await shop.end(of: shop.push("a"))
        let build = try await shop.tell(shop.commit(nil), commitTag: "sha-{sha12}-lost")
        let lost = try #require(try await shop.store.claim(limit: 1, worker: "lost", lease: .seconds(60)).first)
        try await shop.store.startPushing(
            lost.hold, commitTag: try #require(build.commitTag), reusing: first.id)
        _ = try await shop.store.rescue(all: true, tries: 9)
        shop.engine.does { step, _ in if step == .push { isPushed.raise() } }
        let end = try await shop.end(of: build)
        #expect(end.state == .finished, "\(end)")
        #expect(end.attempt == 2)
        #expect(end.reused == (put ? first.id : nil))
        #expect(shop.engine.count == (put ? 1 : 2))
    }

    // MARK: Base images

    /// A registry whose base images point where a test says.
    private final class Bases: Sendable {
        private static let type = "application/vnd.oci.image.manifest.v1+json"
        private let digests = Mutex<[String: String?]>([:])
        private let texts = Mutex<[String: String]>([:])

        /// - Parameter triggers: as the instructions stand after ONBUILD.
        func point(_ name: String, at text: String?, triggers: String...) {
            let digest = text.map {
                let configuration = keep(#"{"config":{"OnBuild":\#(triggers)},"text":"\#($0)"}"#)
                return keep(#"{"schemaVersion":2,"mediaType":"\#(Self.type)","config":{"digest":"\#(configuration)"}}"#)
            }
            digests.withLock { $0[name] = digest }
        }

        private func keep(_ text: String) -> String {
            let digest = "sha256:" + Crypto.sha256(Data(text.utf8)).hex
            texts.withLock { $0[digest] = text }
            return digest
        }

        @Sendable func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Reply? {
            let parts = request.target.split(separator: "/")
            guard parts.count == 4, parts[1] != "acme", let tag = parts.last else { return nil }
            if request.method == "GET" {
                let text = texts.withLock { $0[String(tag)] }
                return text.map { .answer(200, [("Content-Type", Self.type)], $0) } ?? .answer(404)
            }
            guard let digest = digests.withLock({ $0["\(parts[1]):\(tag)"] }), let digest else { return .answer(404) }
            return .answer(200, [("Docker-Content-Digest", digest)])
        }
    }

    private func shop(_ bases: Bases, from names: String...) async throws -> Shop {
        let shop = try await Shop(reuse: true) { bases.answer($0) }
        let lines = names.enumerated().map { "FROM \(shop.host)/\($1) AS s\($0)\n" }
        try shop.git.write("Dockerfile", lines.joined())
        return shop
    }

    @Test func aMovedBaseImageIsBuiltOn() async throws {
        let bases = Bases()
        bases.point("base:1", at: "one")
        let shop = try await shop(bases, from: "base:1")
        let first = try await shop.end(of: shop.push("a"))
        #expect(first.inputs?.bases.map(\.reference.text) == ["\(shop.host)/base:1"])
        #expect(try await shop.end(of: shop.push(nil)).reused == first.id)
        bases.point("base:1", at: "two")
        let moved = try await shop.end(of: shop.push(nil))
        #expect(moved.reused == nil)
        #expect(moved.inputs?.bases.first?.digest != first.inputs?.bases.first?.digest)
        #expect(shop.engine.count == 2)
    }

    @Test func aMissingBaseImageIsADoubt() async throws {
        let bases = Bases()
        bases.point("base:1", at: "one")
        let shop = try await shop(bases, from: "base:1", "tool:2")
        for _ in 0..<2 {
            let build = try await shop.end(of: shop.push(nil))
            #expect(build.state == .finished)
            #expect(build.inputs?.key == nil)
            #expect(build.reuse == "\(shop.host) has no \(shop.host)/tool:2")
            #expect(build.inputs?.doubt == build.reuse)
            #expect(build.inputs?.bases.count == 1)
        }
        #expect(shop.engine.count == 2)
    }

    @Test func aBaseImageThatMovesMeanwhileMakesADoubt() async throws {
        let bases = Bases()
        bases.point("base:1", at: "one")
        let shop = try await shop(bases, from: "base:1")
        shop.engine.does { step, count in if step == .build, count == 1 { bases.point("base:1", at: "two") } }
        let first = try await shop.end(of: shop.push("a"))
        #expect(first.state == .finished)
        #expect(first.inputs?.key == nil)
        #expect(first.inputs?.doubt == "\(shop.host)/base:1 moved while it was built")
        let second = try await shop.end(of: shop.push(nil))
        #expect(second.reused == nil)
        #expect(try await shop.end(of: shop.push(nil)).reused == second.id)
    }

    /// It could be anything that a Dockerfile can, with build arguments that nothing else asks for.
    @Test func whatABaseImageHandsOnIsADoubt() async throws {
        let bases = Bases()
        bases.point("base:1", at: "one", triggers: "ADD https://example.com/a /", "RUN date")
        let shop = try await shop(bases, from: "base:1")
        for _ in 0..<2 {
            let build = try await shop.end(of: shop.push(nil))
            #expect(build.state == .finished && build.reused == nil && build.inputs?.key == nil)
            #expect(
                build.inputs?.doubt == "\(shop.host)/base:1 hands on \"ONBUILD ADD https://example.com/a /\"",
                "\(build)")
        }
        #expect(shop.engine.count == 2)
    }

    /// What a digest names never changes.
    @Test func aBaseImageIsReadOnce() async throws {
        let bases = Bases()
        bases.point("base:1", at: "one")
        let shop = try await shop(bases, from: "base:1")
        try await shop.work {
            for name in ["a", "b"] { try await shop.wait(for: shop.push(name)) { $0.state.isEnd } }
        }
        #expect(shop.engine.count == 2)
        #expect(shop.asked("GET").filter { $0.target.contains("/base/") }.count == 2)
    }

    @Test func theEngineTakesABaseImageAnewWhereItMoved() async throws {
        let bases = Bases()
        bases.point("base:1", at: "one")
        let shop = try await shop(bases, from: "base:1")
        shop.engine.does { step, count in if step == .build, count == 2 { bases.point("base:1", at: "two") } }
        let counts = try await shop.work {
            var counts: [Int] = []
            for name in ["a", "b", "c", "d"] {
                let build = try await shop.push(name)
                try await shop.wait(for: build) { $0.state.isEnd }
                counts.append(shop.engine.refreshed.withLock(\.count))
            }
            return counts
        }
        // While the second was built it moved.
        #expect(counts == [1, 1, 2, 2])
        #expect(shop.engine.refreshed.withLock { Set($0.map(\.text)) } == ["\(shop.host)/base:1"])
    }
}

extension Shop {
    /// Waits until the logs of so many of these builds hold a text.
    func logs(of builds: [Build.ID], hold text: String, _ wanted: Int) async throws -> Bool {
        let (changes, ring) = AsyncStream<Void>.makeStream()
        return try await withDeadline(.seconds(30)) { [store] () -> Bool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for build in builds {
                    let changed = store.changes(.build(build))
                    group.addTask { for await _ in changed { ring.yield() } }
                }
                defer { group.cancelAll() }
                ring.yield()
                for await _ in changes {
                    var found = 0
                    for build in builds {
                        let log = try await store.log(build, offset: 0, limit: 1 << 20)
                        if String(decoding: log, as: UTF8.self).contains(text) { found += 1 }
                    }
                    if found >= wanted { return true }
                }
                return false
            }
        } ?? false
    }
}
