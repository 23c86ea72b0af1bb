import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of builds whose place a newer push takes, on every kind of database.
@Suite struct StoreBehaviourSuperseded {
    private static func rule(cancelRunning: Bool = false) -> Rule {
        var rule = Fixture.rule()
        rule.cancelRunning = cancelRunning
        return rule
    }

    private func tell(
        _ fixture: Fixture, _ digit: Int, before: Int?, ref: String = "refs/heads/main", rule: Rule = rule(),
        image: ImageName = Fixture.image, repository: RepositoryName = Fixture.repository, force: Bool = false
    ) async throws -> Acceptance {
        let build = try Fixture.newBuild(
            commit: Fixture.commit(digit), ref: ref, before: before.map(Fixture.commit), repository: repository,
            image: image, rule: rule)
        var delivery = fixture.delivery(repository: repository)
        delivery.force = force
        return try await fixture.store.accept(delivery, builds: [build])
    }

    @Test(arguments: StoreFactory.all)
    func aNewerPushTakesThePlaceOfWhatIsPending(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            #expect(try await tell(fixture, 1, before: nil).superseded.isEmpty)
            fixture.time.advance(by: .seconds(3))
            // A rule that only stands elsewhere in the settings now is the same.
            var moved = Self.rule()
            moved.number = 4
            let second = try await tell(fixture, 2, before: 1, rule: moved)
            #expect(second.superseded == [1])
            let first = try await fixture.build(1)
            #expect(first.state == .superseded && first.successor == 2 && first.finishedAt == fixture.time.now)
            #expect(first.reason == "build 2 is of a newer push to main" && first.failure == nil)
            #expect(try await tell(fixture, 3, before: 2).superseded == [2])
            #expect(try await fixture.store.load() == QueueLoad(pending: 1, running: 0))
            #expect(try await fixture.claim(9).map(\.id) == [3])
        }
    }

    @Test(arguments: StoreFactory.all)
    func pushesThatAreToldAtOnceTakeEachOthersPlace(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            func deliveries(_ digits: ClosedRange<Int>) throws -> [NewDelivery] {
                try digits.map { digit in
                    var delivery = fixture.delivery()
                    delivery.builds = [
                        try Fixture.newBuild(commit: Fixture.commit(digit), before: Fixture.commit(digit - 1))
                    ]
                    return delivery
                }
            }
            let acceptances = try await fixture.store.accept(deliveries(1...4), room: Room())
            #expect(acceptances.map(\.superseded) == [[], [1], [2], [3]])
            #expect(try await fixture.store.load() == QueueLoad(pending: 1, running: 0))
            #expect(try await fixture.build(2).successor == 3)
            // Those that gave up their places leave them to others.
            let room = Room(inAll: 2, perRepository: 2)
            #expect(try await fixture.store.accept(deliveries(5...8), room: room).count == 4)
            await #expect(throws: QueueFull.self) {
                let other = try Fixture.newBuild(commit: Fixture.commit(1), ref: "refs/heads/dev")
                var delivery = fixture.delivery()
                delivery.builds = [other, other, other].enumerated().map { index, build in
                    var build = build
                    build.push.commit = Fixture.commit(index)
                    return build
                }
                _ = try await fixture.store.accept([delivery], room: room)
            }
            #expect(try await fixture.store.load() == QueueLoad(pending: 1, running: 0))
        }
    }

    @Test(arguments: StoreFactory.all)
    func onlyTheSameIsSuperseded(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            _ = try await tell(fixture, 1, before: nil)
            _ = try await tell(fixture, 1, before: nil, ref: "refs/tags/v1")
            var other = Self.rule()
            other.target = "debug"
            func superseded(_ acceptance: Acceptance) throws -> [Build.ID] {
                #expect(acceptance.builds.count == 1)
                return acceptance.superseded
            }
            #expect(try superseded(await tell(fixture, 2, before: 1, ref: "refs/heads/dev")).isEmpty)
            #expect(try superseded(await tell(fixture, 2, before: 1, rule: other)).isEmpty)
            let image = try ImageName("registry.example.com/acme/other")
            #expect(try superseded(await tell(fixture, 2, before: 1, image: image)).isEmpty)
            let repository = try RepositoryName("acme/other")
            #expect(try superseded(await tell(fixture, 2, before: 1, repository: repository)).isEmpty)
            // Not what the push did not come from, nor what somebody has asked for.
            #expect(try superseded(await tell(fixture, 3, before: 9)).isEmpty)
            #expect(try superseded(await tell(fixture, 4, before: nil)).isEmpty)
            #expect(try superseded(await tell(fixture, 2, before: 1, force: true)).isEmpty)
            // Never a Git tag.
            #expect(try superseded(await tell(fixture, 2, before: 1, ref: "refs/tags/v1")).isEmpty)
            #expect(try await fixture.store.builds(BuildQuery(states: [.superseded])).isEmpty)
            // And now what is the same.
            #expect(try superseded(await tell(fixture, 5, before: 1)) == [1])
        }
    }

    @Test(arguments: StoreFactory.all, [false, true])
    func whatRunsIsSupersededWhereItsRuleSaysSo(_ factory: StoreFactory, cancelRunning: Bool) async throws {
        try await Fixture.with(factory) { fixture in
            let rule = Self.rule(cancelRunning: cancelRunning)
            _ = try await tell(fixture, 1, before: nil, rule: rule)
            _ = try await tell(fixture, 1, before: nil, ref: "refs/heads/dev", rule: rule)
            let holds = [try await fixture.pushImage(), try await fixture.claimOne()]
            for ref in ["refs/heads/main", "refs/heads/dev"] {
                let acceptance = try await tell(fixture, 2, before: 1, ref: ref, rule: rule)
                let older = holds[ref == "refs/heads/main" ? 0 : 1]
                #expect(acceptance.superseded == (cancelRunning ? [older.build] : []))
                let build = try await fixture.build(older.build)
                #expect(build.state == (ref == "refs/heads/main" ? .pushing : .building))
                #expect(build.stop == (cancelRunning ? .superseded : nil))
                #expect(build.successor == (cancelRunning ? acceptance.builds.first?.id : nil))
            }
            // The end that was asked for first stays.
            if cancelRunning {
                #expect(try await fixture.store.cancel(1, reason: "by ops")?.stop == .superseded)
                try await fixture.store.stop(holds[0])
                #expect(try await fixture.build(1).successor == 3)
            }
        }
    }

    @Test(arguments: StoreFactory.all)
    func aWorkerSupersedesWhatItFindsOlder(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            let rule = Self.rule(cancelRunning: true)
            for digit in 1...4 { try await fixture.push(digit, rule: digit == 2 ? Self.rule() : rule) }
            try await fixture.finishOne()
            _ = try await fixture.claim(2)
            try await fixture.push(5)
            // Finished, running (one that is to go on), pending, itself, and one that isn't there.
            try await store.supersede([1, 2, 3, 4, 5, 9], by: 5)
            let builds = try await store.builds(BuildQuery()).reversed()
            #expect(builds.map(\.state) == [.finished, .building, .building, .superseded, .pending])
            #expect(builds.map(\.stop) == [nil, nil, .superseded, nil, nil])
            #expect(builds.map(\.successor) == [nil, nil, 5, 5, nil])
            await #expect(throws: StoreError.self) { try await store.supersede([5], by: 99) }
        }
    }

    @Test(arguments: StoreFactory.all)
    func whoWatchesOrRunsASupersededBuildIsTold(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let rule = Self.rule(cancelRunning: true)
            _ = try await tell(fixture, 1, before: nil, rule: rule)
            _ = try await fixture.claimOne()
            var changes = fixture.store.changes(.build(1)).makeAsyncIterator()
            var asked = fixture.store.changes(.stop(1)).makeAsyncIterator()
            _ = try await tell(fixture, 2, before: 1, rule: rule)
            #expect(await changes.next() != nil)
            #expect(await asked.next() != nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func rivalsAreThoseThatLiveAndPushTheSame(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            for digit in 1...5 { try await fixture.push(digit) }
            try await fixture.finishOne()
            try await store.fail(fixture.claimOne(), Failure(.build, .build, "no"))
            _ = try await fixture.pushImage()
            _ = try await fixture.claimOne()
            // Build 6 to 10: another rule, branch, image, repository, and one whose commit is not known.
            try await fixture.push(6, rule: Fixture.rule(2, tags: ["other"]))
            let others = [
                try Fixture.newBuild(commit: Fixture.commit(1), ref: "refs/heads/dev"),
                try Fixture.newBuild(commit: Fixture.commit(1), image: ImageName("registry.example.com/acme/other")),
                try Fixture.newBuild(commit: Fixture.commit(1), repository: RepositoryName("acme/other")),
                try Fixture.newBuild(commit: nil),
            ]
            _ = try await store.accept(fixture.delivery(), builds: others)
            let build = try await fixture.build(5)
            #expect(try await store.rivals(of: build).map(\.id) == [3, 4])
            #expect(try await store.rivals(of: build).map(\.state) == [.pushing, .building])
            #expect(try await store.rivals(of: fixture.build(3)).map(\.id) == [4, 5])
            #expect(try await store.rivals(of: fixture.build(6)).isEmpty)
        }
    }
}
