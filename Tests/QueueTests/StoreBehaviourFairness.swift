import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of whose build is taken next, on every kind of database.
@Suite struct StoreBehaviourFairness {
    private static func repository(_ number: Int) -> RepositoryName { sure(try RepositoryName("acme/shop-\(number)")) }

    /// Accepts one push to each of these repositories, in this order.
    private func push(_ fixture: Fixture, _ repositories: [Int]) async throws {
        let deliveries = try repositories.enumerated().map { place, number in
            let repository = Self.repository(number)
            var delivery = fixture.delivery(repository: repository)
            delivery.builds = [
                try Fixture.newBuild(
                    commit: Fixture.commit(1), ref: "refs/heads/\(place)-\(UUID().uuidString)", repository: repository)
            ]
            return delivery
        }
        _ = try await fixture.store.accept(deliveries, room: Room())
    }

    @Test(arguments: StoreFactory.all)
    func whoHasManyKeepsNobodyWaiting(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await push(fixture, Array(repeating: 1, count: 1000) + [2, 2, 3])
            // The first comes first, and from then on the others do, until as many of theirs run.
            #expect(try await fixture.claim(1).map(\.id) == [1])
            #expect(try await fixture.claim(1).map(\.id) == [1001])
            #expect(try await fixture.claim(2).map(\.id) == [1003, 2])
            #expect(try await fixture.claim(3).map(\.id) == [1002, 3, 4])
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatEndsMakesRoomForItsRepository(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await push(fixture, [1, 1, 1, 2, 2])
            let first = try await fixture.claim(2).map(\.hold)
            #expect(first.map(\.build) == [1, 4])
            try await fixture.store.fail(first[1], Failure(.build, .build, "no"))
            // The second has none running, the first one.
            #expect(try await fixture.claim(1).map(\.id) == [5])
            try await fixture.store.giveBack(first[0])
            #expect(try await fixture.claim(9).map(\.id) == [1, 2, 3])
        }
    }

    @Test(arguments: StoreFactory.all)
    func aThousandRepositoriesAreServedInTheirOrder(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await push(fixture, Array(1...1000))
            try await push(fixture, Array((1...1000).reversed()))
            #expect(try await fixture.claim(3).map(\.id) == [1, 2, 3])
            #expect(try await fixture.claim(997).map(\.id) == Array(4...1000))
            #expect(try await fixture.claim(3).map(\.id) == [1001, 1002, 1003])
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatIsNotDueKeepsNothingBehindIt(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await push(fixture, [1, 2, 1, 2])
            for hold in try await fixture.claim(2).map(\.hold) {
                let pause = Duration.seconds(hold.build == 1 ? 10 : 20)
                try await fixture.store.retry(hold, Failure(.system, .push, "down"), after: pause)
            }
            #expect(try await fixture.claim(9).map(\.id) == [3, 4])
            try await push(fixture, [2])
            // Both repositories have one running; the oldest build that is due is the one that failed.
            fixture.time.advance(by: .seconds(10))
            #expect(try await fixture.claim(1).map(\.id) == [1])
            #expect(try await fixture.claim(9).map(\.id) == [5])
            #expect(try await fixture.claim(9).isEmpty)
            fixture.time.advance(by: .seconds(10))
            #expect(try await fixture.claim(9).map(\.id) == [2])
        }
    }

    @Test(arguments: StoreFactory.all)
    func nothingIsTakenWhilePaused(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await push(fixture, [1, 1, 2])
            try await fixture.store.pause(Pause(since: fixture.time.now))
            #expect(try await fixture.claim(9).isEmpty)
            _ = try await fixture.store.resume()
            #expect(try await fixture.claim(9).map(\.id) == [1, 3, 2])
        }
    }

    /// What a claim is to take, said in another way.
    private func expected(_ fixture: Fixture, _ limit: Int) async throws -> [Build.ID] {
        let builds = try await fixture.store.builds(BuildQuery(states: [.pending, .building, .pushing], limit: 999))
        var running: [RepositoryName: Int] = [:]
        for build in builds where build.state != .pending { running[build.repository, default: 0] += 1 }
        var due = builds.reversed().filter { build in
            build.state == .pending && build.retryAt.map { $0 <= fixture.time.now } ?? true
        }
        return (0..<min(limit, due.count)).map { _ in
            let fewest = due.map { running[$0.repository] ?? 0 }.min()
            let place = due.firstIndex { (running[$0.repository] ?? 0) == fewest } ?? 0
            let next = due.remove(at: place)
            running[next.repository, default: 0] += 1
            return next.id
        }
    }

    @Test(arguments: StoreFactory.all, [UInt64(1), 2, 3, 4])
    func oneClaimOfManyIsManyOfOne(_ factory: StoreFactory, seed: UInt64) async throws {
        try await Fixture.with(factory) { one in
            try await Fixture.with(factory) { many in
                var randomness = Randomness(seed: seed)
                for _ in 0..<30 {
                    let repositories = (0..<Int.random(in: 0...6, using: &randomness)).map { _ in
                        Int.random(in: 1...4, using: &randomness)
                    }
                    let limit = Int.random(in: 0...5, using: &randomness)
                    var taken: [Build.ID] = []
                    for fixture in [one, many] {
                        try await push(fixture, repositories)
                        fixture.time.advance(by: .seconds(1))
                    }
                    let order = try await expected(one, limit)
                    for _ in 0..<limit { taken += try await one.claim(1).map(\.id) }
                    #expect(taken == order)
                    #expect(try await many.claim(limit).map(\.id) == order)
                    // Some of what runs ends, or is to be tried again.
                    for build in try await one.store.builds(BuildQuery(states: [.building], limit: 99)) {
                        let (dice, pause) = (
                            Int.random(in: 0...5, using: &randomness), Int.random(in: 0...9, using: &randomness)
                        )
                        for fixture in [one, many] {
                            switch dice {
                            case 0: try await fixture.store.fail(build.hold, Failure(.build, .build, "no"))
                            case 1: try await fixture.store.giveBack(build.hold)
                            case 2:
                                try await fixture.store.retry(
                                    build.hold, Failure(.system, .push, "down"), after: .seconds(pause))
                            default: break
                            }
                        }
                    }
                }
            }
        }
    }
}
