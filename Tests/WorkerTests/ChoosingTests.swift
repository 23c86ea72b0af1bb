import Foundation
import Model
import TestSupport
import Testing

@testable import Worker

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct ChoosingTests {
    @Test func onlyWantedFilesAreBuilt() async throws {
        let shop = try await Shop(paths: ["src/**", "Dockerfile"], pathsIgnored: ["**/*.md"])
        let first = try await shop.end(of: shop.push("docs/a"))
        #expect(first.state == .finished, "the first push of a branch: \(first)")
        let since = "changed since build \(first.id) (commit \(first.commit?.prefix(7) ?? ""))"

        let other = try await shop.end(of: shop.push("src/a.md"))
        #expect(other.state == .cancelled)
        #expect(other.reason == "no file of paths (src/**, Dockerfile) but those of paths_ignore (**/*.md) \(since)")
        #expect(try await shop.log(of: other).contains("slipway: skipped: no file of paths"))
        #expect(shop.engine.count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder["work"]) == [])

        let wanted = try await shop.end(of: shop.push("src/a"))
        #expect(wanted.state == .finished)
        #expect(try await shop.log(of: wanted).contains("slipway: src/a \(since)\n"))
        // Nothing at all.
        let same = try await shop.end(of: shop.push(nil))
        #expect(same.state == .cancelled, "\(same)")
        #expect(shop.engine.count == 2)
    }

    @Test func ignoredFilesAloneBuildNothing() async throws {
        let shop = try await Shop(pathsIgnored: ["docs/"])
        let first = try await shop.end(of: shop.push("a"))
        let ignored = try await shop.end(of: shop.push("docs/a"))
        #expect(ignored.state == .cancelled)
        let since = "changed since build \(first.id) (commit \(first.commit?.prefix(7) ?? ""))"
        #expect(ignored.reason == "no file but those of paths_ignore (docs/) \(since)")
        #expect(try await shop.end(of: shop.push("b")).state == .finished)
    }

    /// Of two branches each has its own last build; and a tag is built whatever changed.
    @Test func everyBranchBeginsWithABuild() async throws {
        let shop = try await Shop(paths: ["src/**"])
        #expect(try await shop.end(of: shop.push("a")).state == .finished)
        #expect(try await shop.end(of: shop.push("b", to: "refs/heads/other")).state == .finished)
        #expect(try await shop.end(of: shop.push("c", to: "refs/heads/other")).state == .cancelled)
        #expect(try await shop.end(of: shop.push("d", to: "refs/tags/v1")).state == .finished)
        #expect(try await shop.end(of: shop.push("e", to: "refs/tags/v1", force: true)).state == .finished)
    }

    @Test func aForcePushIsBuilt() async throws {
        let shop = try await Shop(paths: ["src/**"])
        let first = try await shop.end(of: shop.push("a"))
        try shop.git.git("commit", "-q", "--amend", "-m", "Another")
        let forced = try await shop.end(of: shop.push("b", force: true))
        #expect(forced.state == .finished)
        #expect(
            try await shop.log(of: forced).contains("this commit did not come after that of build \(first.id) (commit"))
    }

    /// What a failed or skipped build had to build is still to be built.
    @Test func theLastImageCountsNotTheLastPush() async throws {
        let shop = try await Shop(paths: ["src/**"])
        #expect(try await shop.end(of: shop.push("a")).state == .finished)
        shop.engine.fails.withLock { $0 = true }
        #expect(try await shop.end(of: shop.push("src/a")).state == .failed)
        shop.engine.fails.withLock { $0 = false }
        #expect(try await shop.end(of: shop.push("docs/a")).state == .finished)
        #expect(try await shop.end(of: shop.push("src/b", "Later [skip ci]")).state == .cancelled)
        #expect(try await shop.end(of: shop.push("docs/b")).state == .finished)
        #expect(try await shop.end(of: shop.push("docs/c")).state == .cancelled)
    }

    @Test func theCommitsMessageIsHeard() async throws {
        let shop = try await Shop()
        for ref in ["refs/heads/main", "refs/tags/v1"] {
            let build = try await shop.end(of: shop.push("a", "Fix\n\nNot worth it. [CI skip]", to: ref))
            #expect(build.state == .cancelled)
            #expect(build.reason == "the commit's message says [ci skip]")
            #expect(
                try await shop.log(of: build).hasSuffix("slipway: skipped: the commit's message says [ci skip]\n"))
        }
        #expect(shop.engine.count == 0)
        // The head's message, not the one before it.
        #expect(try await shop.end(of: shop.push("b", "Fix more")).state == .finished)
    }

    @Test(arguments: [Cause.Kind.trigger, .api, .retry])
    func whatWasAskedForIsBuilt(kind: Cause.Kind) async throws {
        let shop = try await Shop(paths: ["src/**"])
        #expect(try await shop.end(of: shop.push("a")).state == .finished)
        #expect(try await shop.end(of: shop.push("b", "Fix [skip ci]", told: kind)).state == .finished)
    }

    @Test func whatWasFoundByLookingIsAPush() async throws {
        let shop = try await Shop(paths: ["src/**"])
        #expect(try await shop.end(of: shop.push("a")).state == .finished)
        #expect(try await shop.end(of: shop.push("b", told: .poll)).state == .cancelled)
    }
}
