import Foundation
import Model
import Platform
import Queue
import TestSupport
import Testing

/// What the store promises of who may take a build, and who should.
@Suite struct StoreBehaviourLabels {
    private static func rule(_ labels: String...) -> Rule {
        var rule = Fixture.rule()
        rule.runsOn = labels.sorted()
        return rule
    }

    private static func repository(_ number: Int) -> RepositoryName { sure(try RepositoryName("acme/shop-\(number)")) }

    private func checkIn(_ fixture: Fixture, _ name: String, _ labels: Set<String> = [], slots: Int = 9) async throws {
        _ = try await fixture.store.checkIn(StoreBehaviourWorkers.note(name, labels, slots: slots))
    }

    private func claim(_ fixture: Fixture, _ worker: String, _ limit: Int = 9) async throws -> [Build.ID] {
        try await fixture.store.claim(limit: limit, worker: worker, lease: Fixture.lease).map(\.id)
    }

    @Test(
        arguments: StoreFactory.all,
        [
            ([], [1]), (["gpu"], [1, 2]), (["arm64"], [1, 3]), (["gpu", "arm64"], [1, 2, 3, 4]),
            (["gpu", "arm64", "big", "more"], [1, 2, 3, 4, 5]),
        ] as [(Set<String>, [Build.ID])])
    func aWorkerTakesWhatItHasTheLabelsFor(
        _ factory: StoreFactory, _ row: (labels: Set<String>, builds: [Build.ID])
    ) async throws {
        try await Fixture.with(factory) { fixture in
            try await checkIn(fixture, "w", row.labels)
            let rules = [
                Self.rule(), Self.rule("gpu"), Self.rule("arm64"), Self.rule("gpu", "arm64"), Self.rule("big", "gpu"),
            ]
            for (place, rule) in rules.enumerated() { try await fixture.push(place, rule: rule) }
            #expect(try await claim(fixture, "w") == row.builds)
            // The others wait for somebody else, and call nobody.
            #expect(try await fixture.store.nextDue(for: "w") == nil)
        }
    }

    /// Whose build is asked for and not by whom: a repository waits with its next that fits.
    @Test(arguments: StoreFactory.all)
    func whatNobodyTakesKeepsNothingBehindIt(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await checkIn(fixture, "w", ["amd64"])
            for (digit, rule) in [Self.rule("gpu"), Self.rule(), Self.rule("amd64"), Self.rule("gpu")].enumerated() {
                try await fixture.push(digit, rule: rule)
            }
            #expect(try await claim(fixture, "w", 1) == [2])
            #expect(try await claim(fixture, "w") == [3])
            #expect(try await fixture.store.labelsAsked() == [["gpu"]])
            // A worker that nobody knows has none.
            #expect(try await claim(fixture, "v").isEmpty)
            try await checkIn(fixture, "w", ["gpu"])
            #expect(try await claim(fixture, "w") == [1, 4])
            #expect(try await fixture.store.labelsAsked().isEmpty)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aRetryCallsOnlyWhoMayTakeIt(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await checkIn(fixture, "w", ["gpu"])
            try await fixture.push(1, rule: Self.rule("gpu"))
            let hold = try await fixture.claimOne()
            try await fixture.store.retry(hold, Failure(.system, .push, "down"), after: .seconds(5))
            #expect(try await fixture.store.nextDue(for: "w") == .seconds(5))
            #expect(try await fixture.store.nextDue(for: "v") == nil)
            fixture.time.advance(by: .seconds(6))
            #expect(try await fixture.store.nextDue(for: "v") == nil)
            #expect(try await claim(fixture, "w") == [1])
        }
    }

    // MARK: Preference

    /// Worker `warm` has the mirror of the first repository.
    private func withWarm(
        slots: Int = 2, _ body: (Fixture) async throws -> Void
    ) async throws {
        try await Fixture.with(.postgreSQL) { fixture in
            try await checkIn(fixture, "warm", slots: slots)
            try await checkIn(fixture, "cold")
            try await fixture.push(1, repository: Self.repository(1))
            #expect(try await claim(fixture, "warm") == [1])
            fixture.time.advance(by: .seconds(10))
            for name in ["warm", "cold"] { try await checkIn(fixture, name, slots: slots) }
            try await body(fixture)
        }
    }

    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"))
    func whoHasTheMirrorIsPreferredForAMoment() async throws {
        try await withWarm { fixture in
            try await fixture.push(2, repository: Self.repository(1))
            try await fixture.push(3, repository: Self.repository(2))
            // What nobody has the mirror of is anybody's.
            #expect(try await claim(fixture, "cold") == [3])
            #expect(try await fixture.store.nextDue(for: "cold") == .milliseconds(300))
            fixture.time.advance(by: .milliseconds(200))
            #expect(try await claim(fixture, "cold").isEmpty)
            let rest = try #require(try await fixture.store.nextDue(for: "cold"))
            #expect((99...101).contains(rest.seconds * 1000), "\(rest)")
            #expect(try await fixture.store.nextDue(for: "warm") == nil)
            fixture.time.advance(by: .milliseconds(100))
            #expect(try await claim(fixture, "cold") == [2])
            // Now both have it.
            try await fixture.push(4, repository: Self.repository(1))
            #expect(try await claim(fixture, "cold") == [4])
        }
    }

    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"))
    func whoHasTheMirrorTakesItAtOnce() async throws {
        try await withWarm { fixture in
            try await fixture.push(2, repository: Self.repository(1))
            #expect(try await claim(fixture, "cold").isEmpty)
            #expect(try await claim(fixture, "warm") == [2])
            #expect(try await fixture.store.nextDue(for: "cold") == nil)
        }
    }

    @Test(
        .enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"),
        arguments: ["full", "drained", "lost", "gone"])
    func nobodyWaitsForWhoCantTakeIt(_ why: String) async throws {
        try await withWarm(slots: why == "full" ? 1 : 2) { fixture in
            switch why {
            case "drained": _ = try await fixture.store.drain("warm", true)
            case "lost": fixture.time.advance(by: .seconds(21))
            case "gone": try await fixture.store.checkOut(StoreBehaviourWorkers.note("warm"))
            default: break
            }
            try await fixture.push(2, repository: Self.repository(1))
            #expect(try await claim(fixture, "cold") == [2])
        }
    }

    /// A worker that has the mirror and not the labels takes nothing, so nobody waits for it.
    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"))
    func nobodyWaitsForWhoMayNot() async throws {
        try await withWarm { fixture in
            try await checkIn(fixture, "cold", ["gpu"])
            try await fixture.push(2, repository: Self.repository(1), rule: Self.rule("gpu"))
            #expect(try await claim(fixture, "cold") == [2])
        }
    }
}
