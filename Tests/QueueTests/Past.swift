import Foundation
import Model
import Platform
import Queue
import TestSupport

/// A history at random: builds in every state, and what belongs to them.
struct Past: Sendable {
    let store: any Store
    let time: ManualTime
    var randomness: Randomness

    /// Texts as only people write them.
    private static let texts = [
        "", "Sell more", "it's \"down\"; DROP TABLE builds;", "Größe 寸法 👍\n\tl2", "%s $1 ?1 \\x00",
    ]

    init(_ store: any Store, _ time: ManualTime, seed: UInt64) {
        self.store = store
        self.time = time
        randomness = Randomness(seed: seed)
    }

    mutating func fill(builds: Int) async throws {
        for number in 0..<builds {
            try await push(number)
            time.advance(by: .milliseconds(Int.random(in: 1...2500, using: &randomness)))
            if number % 3 == 2 { try await work() }
        }
        try await note()
    }

    /// Runs whatever is pending but a few, each to another end; some are left as they are.
    private mutating func work() async throws {
        for build in try await store.claim(limit: 2, worker: "w", lease: .seconds(20)) {
            do { try await run(build) } catch is LeaseLost {
                // Superseded while it ran.
            }
        }
    }

    private mutating func push(_ number: Int) async throws {
        var rule = Fixture.rule(number % 2 + 1)
        rule.runsOn = number % 11 == 10 ? ["gpu", "arm64"] : []
        rule.cancelRunning = number % 5 == 0
        let repository = sure(try RepositoryName("acme/shop-\(number % 3)"))
        var build = try Fixture.newBuild(
            commit: number % 7 == 6 ? nil : Fixture.commit(number), repository: repository,
            image: ImageName("registry.example.com/\(repository)"), rule: rule)
        build.push.message = text()
        let body = Data((0..<Int.random(in: 0...3000, using: &randomness)).map { UInt8($0 % 256) })
        let delivery = NewDelivery(
            repository: number % 9 == 8 ? nil : repository, kind: number % 4 == 0 ? .trigger : .webhook,
            host: number % 4 == 0 ? nil : "github", senderID: "\(number)", event: "push", remoteAddress: "::1",
            headers: [Header(name: "User-Agent", value: text())], body: body, receivedAt: time.now,
            ignored: [Ignored(rule: 3, reason: text())])
        var forced = delivery
        forced.force = true
        let made = try await store.accept(forced, builds: number % 9 == 8 ? [] : [build])
        guard let made = made.builds.first, made.id > 4 else { return }
        switch Int.random(in: 0..<10, using: &randomness) {
        case 0: _ = try await store.cancel(made.id - 2, reason: "by \(text())")
        case 1: try await store.supersede([made.id - 3], by: made.id)
        default: break
        }
    }

    private mutating func run(_ build: Build) async throws {
        let hold = build.hold
        for _ in 0..<Int.random(in: 0...3, using: &randomness) {
            try await store.append(
                hold, log: Data((0...Int.random(in: 0...900, using: &randomness)).map { UInt8($0 % 256) }))
        }
        let base = BaseImage(
            image: try ImageName("docker.io/library/debian"), tag: try tag("bookworm"), digest: Fixture.digest(3))
        let isKnown = Bool.random(using: &randomness)
        try await store.inputs(
            hold, isKnown ? BuildInputs(key: Fixture.digest(Int(build.id)), bases: [base]) : BuildInputs(doubt: text()),
            reuse: text())
        switch Int.random(in: 0..<9, using: &randomness) {
        case 0: return try await store.fail(hold, Failure(.timeout, .build, text()))
        case 1: return try await store.retry(hold, Failure(.system, .build, text()), after: .seconds(40))
        case 2: return try await store.giveBack(hold)
        case 3: return try await store.skip(hold, reason: text())
        // As by a worker that was killed.
        case 4: return
        default: break
        }
        guard let commitTag = build.commitTag else { return try await store.giveBack(hold) }
        try await store.startPushing(hold, commitTag: tag("\(commitTag)-\(build.id)"), built: "sha256:\(build.id)")
        if Bool.random(using: &randomness) {
            try await store.pushed(hold, digest: Fixture.digest(Int(build.id)))
        } else {
            return
        }
        if case .granted = try await store.startMoving(hold, tag: tag("latest")) {
            if Int.random(in: 0..<4, using: &randomness) == 0 { return }
            try await store.moved(hold, tag: tag("latest"))
        }
        try await store.kept(hold, tag: tag("stable"), reason: text())
        try await store.finish(hold, log: Data("done\n".utf8))
    }

    /// What the service notes for itself.
    private mutating func note() async throws {
        let repository = sure(try RepositoryName("acme/shop-1"))
        try await store.saw(
            [RefName("refs/heads/main"): Fixture.commit(1), RefName("refs/tags/é"): Fixture.commit(2)], in: repository)
        for place in try await store.tags(after: nil, limit: 2) {
            try await store.found(FoundTag(digest: Fixture.digest(9), since: time.now), at: place)
            _ = try await store.startRepair(place.name, of: place.image, for: .seconds(30))
        }
        _ = try await store.checkIn(
            WorkerNote(name: "w", labels: ["gpu"], slots: 2, version: "1", instance: "a"))
        try await store.probe()
        try await store.pause(Pause(since: time.now, by: "ops", reason: text()))
    }

    private mutating func text() -> String { Self.texts.randomElement(using: &randomness) ?? "" }
}
