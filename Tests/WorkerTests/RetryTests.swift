import Foundation
import Model
import Queue
import Synchronization
import TestSupport
import Testing

@testable import Worker

@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct RetryTests {
    private static let ours = Failure(.system, .push, "the registry is away")

    /// A shop whose registry has nothing until its engine has pushed, which fails so many times.
    private func shop(failing pushes: Int, retries: Int = 5) async throws -> Shop {
        let isThere = Flag()
        let shop = try await Shop(retries: retries) { request in
            request.method == "GET" && !isThere.isUp ? .answer(404) : nil
        }
        shop.engine.does { step, count in
            guard step == .push else { return }
            if count <= pushes { throw Self.ours }
            isThere.raise()
        }
        return shop
    }

    @Test func aFailedPushIsTriedAgainWithoutBuildingAgain() async throws {
        let shop = try await shop(failing: 2)
        let build = try await shop.end(of: shop.push("a"))
        #expect(build.state == .finished, "\(build)")
        #expect(build.attempt == 3)
        #expect(build.tags.map(\.moved) == [true])
        #expect(shop.engine.count == 1)
        #expect(shop.engine.count(of: .push) == 3)
        let log = try await shop.log(of: build)
        #expect(
            log.contains("slipway: failed (system, push): the registry is away; trying again in 1s (1 of 5)\n"),
            "\(log)")
        #expect(log.contains("(2 of 5)\n"))
        #expect(log.ranges(of: "an earlier attempt built").count == 2)
        #expect(log.ranges(of: "fetching").count == 1)
    }

    @Test func anImageThatIsGoneIsBuiltAnew() async throws {
        let shop = try await shop(failing: 0)
        shop.engine.does { [engine = shop.engine] step, count in
            guard step == .push, count == 1 else { return }
            engine.images.withLock { $0 = [:] }
            throw Self.ours
        }
        let build = try await shop.push("a")
        // Whatever the registry answers, nothing of this build is there.
        _ = try await shop.work { try await shop.wait(for: build) { _ in shop.engine.count == 2 } }
        #expect(shop.engine.count == 2)
    }

    /// Another build's, or one of somebody else's.
    @Test func anotherImageUnderItsNameIsNotTaken() async throws {
        let shop = try await shop(failing: 1)
        shop.engine.does { [engine = shop.engine] step, count in
            guard step == .push, count == 1 else { return }
            engine.images.withLock { images in images = images.mapValues { _ in "sha256:other" } }
            throw Self.ours
        }
        let build = try await shop.push("a")
        _ = try await shop.work { try await shop.wait(for: build) { _ in shop.engine.count == 2 } }
        #expect(shop.engine.count == 2)
    }

    /// It was killed while it took the manifest, and left half of what it keeps of it.
    @Test func aManifestThatItsRegistryFailsWithIsPushedAnew() async throws {
        let isWhole = Flag()
        let shop = try await Shop { request in
            request.method == "GET" && request.target.contains("/manifests/") && !isWhole.isUp ? .answer(500) : nil
        }
        shop.engine.does { step, count in if step == .push, count == 2 { isWhole.raise() } }
        let build = try await shop.end(of: shop.push("a"))
        #expect(build.state == .finished, "\(build)")
        #expect(build.attempt == 3)
        #expect(shop.engine.count == 1)
        #expect(shop.engine.count(of: .push) == 2)
    }

    @Test func inTheEndItFails() async throws {
        let shop = try await shop(failing: 100, retries: 2)
        let build = try await shop.end(of: shop.push("a"))
        #expect(build.state == .failed)
        #expect(build.attempt == 3)
        #expect(build.failure?.kind == .system)
        #expect(build.failure?.stage == .push)
        #expect(try await shop.log(of: build).hasSuffix("slipway: failed (system, push): the registry is away\n"))
    }

    @Test func theRepositorysFaultIsNotTriedAgain() async throws {
        let shop = try await Shop()
        shop.engine.fails.withLock { $0 = true }
        let build = try await shop.end(of: shop.push("a"))
        #expect(build.state == .failed)
        #expect(build.attempt == 1)
        #expect(build.failure?.kind == .build)
    }

    @Test func aTimeoutIsAReasonOfItsOwn() async throws {
        let shop = try await Shop(timeout: 1)
        shop.engine.does { step, _ in if step == .build { try await Task.sleep(for: .seconds(120)) } }
        let build = try await shop.end(of: shop.push("a"))
        #expect(build.state == .failed)
        #expect(build.attempt == 1)
        #expect(build.failure?.kind == .timeout)
        #expect(build.failure?.stage == .build)
        #expect(try await shop.log(of: build).contains("slipway: failed (timeout, build): it took longer than"))
    }

    @Test(arguments: [429, 503])
    func theRegistrysWishIsFollowed(status: Int) async throws {
        let shop = try await Shop { request in
            if request.method == "HEAD", request.target.hasSuffix("/latest") { return .answer(404) }
            return request.method == "PUT" ? .answer(status, [("Retry-After", "600")]) : nil
        }
        let build = try await shop.push("a")
        let waiting = try await shop.work { try await shop.wait(for: build) { $0.retryAt != nil } }
        #expect(waiting.state == .pending)
        #expect(waiting.failure?.stage == .tag)
        #expect(try #require(waiting.retryAt) >= build.createdAt.addingTimeInterval(600))
        // It was asked once, and not again within the attempt.
        #expect(shop.asked("PUT").count == 1)
        #expect(try await shop.log(of: build).contains("trying again in 10m (1 of 5)\n"))
    }

    @Test func pauses() {
        let pace = Pace()
        // retry, wish, jitter, seconds
        let cases: [(Int, Double?, Double, Double)] = [
            (1, nil, 1, 5), (2, nil, 1, 10), (4, nil, 1, 40), (7, nil, 1, 320), (8, nil, 1, 600), (1000, nil, 1, 600),
            (1, nil, 0.8, 4), (1, nil, 1.2, 6),
            // whoever failed us wants less, more, and too much
            (4, 10, 1, 40), (1, 120, 1, 120), (1, 86400, 1, 3600),
        ]
        for (retry, wish, jitter, seconds) in cases {
            let pause = pace.pause(before: retry, wish: wish.map { .seconds($0) }, jitter: jitter)
            #expect(abs(pause.seconds - seconds) < 0.001, "\(retry) \(wish ?? 0) \(jitter): \(pause)")
        }
        let random = (0..<50).map { _ in pace.pause(before: 3, wish: nil).seconds }
        #expect(random.allSatisfy { (16...24).contains($0) })
        #expect(Set(random).count > 1)
    }
}

/// Something that is so from a moment on.
final class Flag: Sendable {
    private let value = Mutex(false)

    var isUp: Bool { value.withLock(\.self) }
    func raise() { value.withLock { $0 = true } }
}
