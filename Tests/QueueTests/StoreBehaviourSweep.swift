import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises whoever compares tags with a registry, on every kind of database.
@Suite struct StoreBehaviourSweep {
    private static let other = sure(try ImageName("registry.example.com/acme/other"))
    private static let latest = sure(try tag("latest"))

    /// Builds a commit and moves these tags to it.
    private func release(
        _ fixture: Fixture, _ digit: Int, _ tags: [String] = ["latest"], image: ImageName = Fixture.image
    ) async throws {
        let rule = Fixture.rule(tags: tags)
        var delivery = fixture.delivery()
        delivery.force = true
        let new = try Fixture.newBuild(commit: Fixture.commit(digit), image: image, rule: rule)
        _ = try await fixture.store.accept(delivery, builds: [new])
        let hold = try await fixture.pushImage(digit)
        for name in tags {
            _ = try await fixture.store.startMoving(hold, tag: tag(name))
            try await fixture.store.moved(hold, tag: tag(name))
        }
        try await fixture.store.finish(hold)
    }

    private func place(_ fixture: Fixture, _ name: Model.Tag = latest) async throws -> TagPlace {
        try #require(try await fixture.store.tags(after: nil, limit: 99).first { $0.name == name })
    }

    @Test(arguments: StoreFactory.all)
    func theTagsThatWereMovedComeInPagesInOrder(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            #expect(try await store.tags(after: nil, limit: 9).isEmpty)
            try await release(fixture, 1, ["stable", "latest"])
            try await release(fixture, 2, ["latest"], image: Self.other)
            try await release(fixture, 3, ["edge"])
            let all = try await store.tags(after: nil, limit: 99)
            #expect(all.map(\.image) == [Self.other, Fixture.image, Fixture.image, Fixture.image])
            #expect(all.map(\.name.text) == ["latest", "edge", "latest", "stable"])
            #expect(all.map(\.holder.build) == [2, 3, 1, 1])
            #expect(
                all.first
                    == TagPlace(
                        image: Self.other, name: Self.latest, repository: Fixture.repository,
                        holder: TagHolder(build: 2, commit: Fixture.commit(2), digest: Fixture.digest(2))))
            // One after the other, also by two.
            for limit in 1...3 {
                var pages: [TagPlace] = []
                while true {
                    let page = try await store.tags(after: pages.last, limit: limit)
                    #expect(page.count <= limit)
                    if page.isEmpty { break }
                    pages += page
                }
                #expect(pages == all)
            }
            #expect(try await store.tags(after: nil, limit: -1).isEmpty)
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatWasFoundIsKeptUntilABuildMovesTheTag(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await release(fixture, 1, ["latest", "stable"])
            let seen = try await place(fixture)
            let found = FoundTag(digest: Fixture.digest(9), since: fixture.time.now)
            try await store.found(found, at: seen)
            #expect(try await place(fixture).found == found)
            #expect(try await place(fixture, tag("stable")).found == nil)
            // It does not change where Slipway put it.
            #expect(try await store.tag(Self.latest, of: Fixture.image) == seen.holder)
            // Gone, and as it should be again.
            let gone = FoundTag(digest: nil, since: fixture.time.now.addingTimeInterval(5))
            try await store.found(gone, at: seen)
            #expect(try await place(fixture).found == gone)
            try await store.found(nil, at: seen)
            #expect(try await place(fixture).found == nil)

            try await store.found(found, at: seen)
            try await release(fixture, 2)
            #expect(try await place(fixture).found == nil)
            // What was seen of it before says nothing of what it is now.
            try await store.found(found, at: seen)
            #expect(try await place(fixture).found == nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aDigestIsSlipwaysWhereABuildPushedItToTheImage(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await release(fixture, 1)
            try await fixture.push(2)
            let hold = try await fixture.pushImage(2)
            func build(_ digit: Int, of image: ImageName = Fixture.image) async throws -> Build.ID? {
                try await fixture.store.build(of: Fixture.digest(digit), in: image, tag: nil)?.id
            }
            #expect(try await build(1) == 1)
            #expect(try await build(2) == 2)
            #expect(try await build(1, of: Self.other) == nil)
            #expect(try await build(3) == nil)
            try await fixture.store.fail(hold, Failure(.system, .tag, "the registry is down"))
            #expect(try await build(2) == 2)
        }
    }

    @Test(arguments: StoreFactory.all)
    func ofBuildsWithOneImageTheOneWithTheTagCounts(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for (digit, rule) in [(1, Fixture.rule(tags: ["latest"])), (2, Fixture.rule(2, tags: ["edge"]))] {
                try await fixture.push(digit, rule: rule)
                try await fixture.store.pushed(fixture.startPushing(), digest: Fixture.digest(7))
            }
            for (name, build) in [("latest", Build.ID(1)), ("edge", 2), ("other", 2)] {
                let found = try await fixture.store.build(of: Fixture.digest(7), in: Fixture.image, tag: tag(name))
                #expect(found?.id == build, "\(name)")
            }
        }
    }

    /// What an attempt put somewhere stays known as its build's, whatever became of the attempt.
    @Test(arguments: StoreFactory.all)
    func aLostAttemptsImageIsItsBuilds(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await release(fixture, 1)
            try await fixture.push(2)
            _ = try await fixture.pushImage(2)
            #expect(try await fixture.store.rescue(all: true, tries: 9) == [2])
            _ = try await fixture.store.cancel(2, reason: "by ops")
            #expect(
                try await fixture.store.build(of: Fixture.digest(2), in: Fixture.image, tag: nil)?.state == .cancelled)
            // It had moved the tag, and nobody noted so.
            try await fixture.store.adopt(tag("latest"), of: Fixture.image, by: 2)
            #expect(try await fixture.store.tag(tag("latest"), of: Fixture.image)?.build == 1, "only within a repair")
            _ = try await fixture.store.startRepair(tag("latest"), of: Fixture.image, for: .seconds(60))
            try await fixture.store.adopt(tag("latest"), of: Fixture.image, by: 2)
            let holder = TagHolder(build: 2, commit: Fixture.commit(2), digest: Fixture.digest(2))
            #expect(try await fixture.store.tag(tag("latest"), of: Fixture.image) == holder)
        }
    }

    @Test(arguments: StoreFactory.all)
    func whileATagIsPutRightNoBuildMovesIt(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            #expect(try await store.startRepair(Self.latest, of: Fixture.image, for: .seconds(30)) == nil)
            try await release(fixture, 1, ["latest", "stable"])
            let holder = TagHolder(build: 1, commit: Fixture.commit(1), digest: Fixture.digest(1))
            #expect(try await store.startRepair(Self.latest, of: Fixture.image, for: .seconds(30)) == holder)
            try await fixture.push(2)
            let hold = try await fixture.pushImage(2)
            #expect(try await store.startMoving(hold, tag: Self.latest) == .busy(1))
            await fixture.expectLost(hold) { try await $0.moved(hold, tag: Self.latest) }
            // Another tag is another right.
            #expect(try await store.startMoving(hold, tag: tag("stable")) == .granted(holder: holder))
            try await store.endRepair(Self.latest, of: Fixture.image)
            #expect(try await store.startMoving(hold, tag: Self.latest) == .granted(holder: holder))
        }
    }

    @Test(arguments: StoreFactory.all)
    func whileABuildMovesATagItIsNotPutRight(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await release(fixture, 1, ["latest", "stable"])
            let holder = TagHolder(build: 1, commit: Fixture.commit(1), digest: Fixture.digest(1))
            func repair(_ name: Model.Tag = Self.latest) async throws -> TagHolder? {
                try await store.startRepair(name, of: Fixture.image, for: .seconds(30))
            }
            try await fixture.push(2)
            let moving = try await fixture.pushImage(2)
            _ = try await store.startMoving(moving, tag: Self.latest)
            #expect(try await repair() == nil)
            #expect(try await repair(tag("stable")) == holder)
            // A refusal takes nothing.
            try await store.moved(moving, tag: Self.latest)
            let moved = TagHolder(build: 2, commit: Fixture.commit(2), digest: Fixture.digest(2))
            #expect(try await repair() == moved)
            try await store.endRepair(Self.latest, of: Fixture.image)
            // The right of an attempt that is over keeps nobody.
            _ = try await store.startMoving(moving, tag: Self.latest)
            #expect(try await repair() == nil)
            fixture.time.advance(by: .seconds(61))
            #expect(try await store.rescue(all: false, tries: 9) == [2])
            #expect(try await repair() == moved)
        }
    }

    @Test(arguments: StoreFactory.all, ["its time ran out", "the service began anew"])
    func aRepairThatNobodyEndedKeepsNoBuild(_ factory: StoreFactory, how: String) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await release(fixture, 1)
            _ = try await store.startRepair(Self.latest, of: Fixture.image, for: .seconds(30))
            if how == "its time ran out" {
                fixture.time.advance(by: .seconds(30))
            } else {
                // By a clock that was set back it would last for days.
                fixture.time.advance(by: .seconds(-300_000))
                #expect(try await store.rescue(all: true, tries: 9).isEmpty)
            }
            try await fixture.push(2)
            let hold = try await fixture.pushImage(2)
            let holder = TagHolder(build: 1, commit: Fixture.commit(1), digest: Fixture.digest(1))
            #expect(try await store.startMoving(hold, tag: Self.latest) == .granted(holder: holder))
            try await store.moved(hold, tag: Self.latest)
            #expect(try await store.tag(Self.latest, of: Fixture.image)?.build == 2)
        }
    }
}
