import Foundation
import Model
import Platform
import Queue
import Registry
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Worker

/// When the sweep asks, whom it leaves alone, and who may not be disturbed by it.
@Suite(.enabled(if: GitRepository.isPossible, "needs git"))
struct SweeperTests {
    private static let rule = Yard.rule(tags: "latest")
    private let registry: FakeRegistry

    init() throws { registry = try FakeRegistry() }

    /// Where `latest` is at the second of two builds.
    private func yard(
        time: any TimeSource = Unhurried(), sweep: Sweep = Sweep(every: nil), managed: Bool = true,
        isShared: Bool = false
    ) async throws -> Yard {
        let yard = try await Yard(host: registry.host, time: time, sweep: sweep, managed: managed, isShared: isShared)
        for text in ["old", "new"] {
            try await yard.finish("refs/heads/main", at: yard.commit(), Self.rule, registry.push(text))
        }
        return yard
    }

    @Test func whatIsRightCostsOneQuestion() async throws {
        let yard = try await yard()
        let before = registry.requests.count
        await Sweeper(tools: yard.tools).sweep()
        #expect(registry.requests.dropFirst(before).map(\.method) == ["HEAD"])
        #expect(try await yard.found("latest") == nil)
    }

    @Test func whatTheSettingsNoLongerHaveIsNotAskedFor() async throws {
        let yard = try await yard(managed: false)
        let before = registry.requests.count
        registry["latest"] = nil
        await Sweeper(tools: yard.tools).sweep()
        #expect(registry.requests.count == before)
    }

    /// The build's own move will come; what is there meanwhile is no fault.
    @Test func whatABuildIsMovingIsLeftToIt() async throws {
        let yard = try await yard()
        registry["latest"] = nil
        try await yard.accept("refs/heads/main", at: yard.commit(), Self.rule)
        let tagging = try await yard.pushed(try #require(try await yard.claim().first), registry.push("newest"))
        _ = try await yard.store.startMoving(tagging.build.hold, tag: Tag("latest"))
        let puts = registry.puts.count
        let sweeper = Sweeper(tools: yard.tools)
        await sweeper.sweep()
        #expect(registry.puts.count == puts)
        try await tagging.move([Tag("latest")])
        await sweeper.sweep()
        #expect(registry["latest"] == tagging.manifest.digest.text)
    }

    /// No build is kept from a tag that could not be put right.
    @Test func aTagIsFreeAgainAfterwards() async throws {
        let yard = try await yard()
        registry["latest"] = nil
        registry.spoil { $0.method == "PUT" ? .answer(403) : nil }
        await Sweeper(tools: yard.tools).sweep()
        #expect(registry.puts.last == "latest" && registry["latest"] == nil)
        try await yard.accept("refs/heads/main", at: yard.commit(), Self.rule)
        let tagging = try await yard.pushed(try #require(try await yard.claim().first), registry.push("newest"))
        let right = try await yard.store.startMoving(tagging.build.hold, tag: Tag("latest"))
        let holder = try await yard.holder("latest")
        #expect(right == .granted(holder: holder))
    }

    @Test(arguments: [429, 503])
    func aRegistryThatFailsIsLeftAloneForAWhile(_ status: Int) async throws {
        let time = ManualTime()
        let yard = try await yard(time: time)
        registry.spoil { _ in .answer(status, [("Retry-After", "300")]) }
        let sweeper = Sweeper(tools: yard.tools)
        func asked() async -> Int {
            let before = registry.requests.count
            await sweeper.sweep()
            return registry.requests.count - before
        }
        #expect(await asked() == 1)
        #expect(await asked() == 0)
        time.advance(by: .seconds(61))
        // The header is one of 429.
        #expect(await asked() == (status == 429 ? 0 : 1))
        time.advance(by: .seconds(61))
        // The second rest is twice as long.
        #expect(await asked() == 0)
        time.advance(by: .seconds(240))
        registry.spoil { _ in nil }
        #expect(await asked() == 1)
        #expect(await asked() == 1)
        #expect(yard.said.count("could not be compared") == (status == 429 ? 1 : 2))
    }

    @Test func itSweepsAsOftenAsTheSettingsSay() async throws {
        let time = ManualTime()
        let yard = try await yard(time: time, sweep: Sweep(every: .seconds(3600)))
        let sweeping = Task { await Sweeper(tools: yard.tools).run() }
        // A first look some minutes after the start, then one an hour.
        for pause in [Sweeper.delay, .seconds(3600)] {
            let sleeps = await eventually { time.sleepers == 1 }
            #expect(sleeps)
            let before = registry.requests.count
            time.advance(by: pause - .seconds(1))
            #expect(time.sleepers == 1)
            time.advance(by: .seconds(1))
            let asked = await eventually { [registry] in registry.requests.count == before + 1 }
            #expect(asked)
        }
        sweeping.cancel()
        await sweeping.value
    }

    /// Of several that share a queue one sweeps; suspects are looked at all the same.
    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"), .timeLimit(.minutes(6)))
    func oneOfManySweeps() async throws {
        let time = ManualTime()
        let yard = try await yard(time: time, sweep: Sweep(every: .seconds(3600)), isShared: true)
        #expect(try await yard.store.takeDuty("sweep", by: "another", for: .seconds(3600)))
        let before = registry.requests.count
        let sweeping = Task { await Sweeper(tools: yard.tools).run() }
        for pause in [Sweeper.delay, .seconds(3600)] {
            #expect(await eventually { time.sleepers == 2 })
            time.advance(by: pause)
        }
        #expect(await eventually { time.sleepers == 2 })
        #expect(registry.requests.count == before)
        let digest = try #require(try await yard.holder("latest")?.digest)
        yard.tools.suspects.add([Suspect(image: yard.image, name: try Tag("latest"), digest: digest)])
        // It is looked at again in a while.
        #expect(await eventually { time.sleepers == 3 })
        #expect(registry.requests.count > before)

        try await yard.store.leaveDuties(of: "another")
        time.advance(by: Duty.renewal)
        #expect(await eventually { time.sleepers == 3 })
        time.advance(by: Sweeper.secondLook)
        #expect(await eventually { time.sleepers == 2 })
        let looked = registry.requests.count
        time.advance(by: .seconds(3600))
        let sweeps = await eventually { [registry] in registry.requests.count > looked }
        #expect(sweeps)
        sweeping.cancel()
        await sweeping.value
        try await yard.close()
    }

    /// An attempt sends its last word, is stopped, and the word arrives when a newer build has the tag.
    @Test func aLatePutOfAStoppedAttemptIsPutRight() async throws {
        let scene = Mutex<(@Sendable () async throws -> Void)?>(nil)
        let time = Interlude { try await scene.withLock { $0 }?() }
        let yard = try await Yard(host: registry.host, time: time)
        for _ in 1...2 { try await yard.accept("refs/heads/main", at: yard.commit(), Self.rule) }
        let builds = try await yard.claim()
        let first = try await yard.pushed(builds[0], registry.push("old"))
        // The answer is lost, and the request as yet under way.
        let late = Mutex(true)
        registry.spoil { request in
            late.withLock { isFirst in
                defer { if request.method == "PUT" { isFirst = false } }
                return request.method == "PUT" && isFirst ? .answer(504) : nil
            }
        }
        scene.withLock {
            $0 = { [registry] in
                _ = try await yard.store.rescue(all: true, tries: 9)
                let again = try #require(try await yard.claim().first { $0.id == 2 })
                let second = try await yard.pushed(again, registry.push("new"))
                try await second.move([Tag("latest")])
                registry["latest"] = first.manifest.digest.text
            }
        }
        await #expect(throws: LeaseLost.self) { try await first.move([Tag("latest")]) }
        #expect(registry["latest"] == first.manifest.digest.text)

        let right = Signal()
        registry.spoil { request in
            if request.method == "PUT" { right.fire() }
            return nil
        }
        let sweeping = Task { await Sweeper(tools: yard.tools).run() }
        #expect(await right.wait())
        let digest = try #require(try await yard.holder("latest")?.digest)
        let isRight = await eventually { [registry] in registry["latest"] == digest.text }
        #expect(isRight)
        sweeping.cancel()
        await sweeping.value
        #expect(digest != first.manifest.digest)
    }
}

/// A time in whose first pause something comes to pass; all others are without end.
struct Interlude: TimeSource {
    private let body: @Sendable () async throws -> Void
    private let isOver = Flag()

    private final class Flag: Sendable {
        let value = Mutex(false)
    }

    init(_ body: @escaping @Sendable () async throws -> Void) { self.body = body }

    var now: Date { SystemTime().now }

    func sleep(for duration: Duration) async throws {
        let isFirst = isOver.value.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
        if isFirst { try await body() } else { try await Task.sleep(for: .seconds(3600)) }
    }
}
