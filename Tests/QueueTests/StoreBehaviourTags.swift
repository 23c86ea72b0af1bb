import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of commit tags and of the right to move a tag, on every kind of database.
@Suite struct StoreBehaviourTags {
    @Test(arguments: StoreFactory.all)
    func aCommitTagBelongsToOneBuild(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await fixture.push(1)
            try await fixture.push(1)
            let first = try await fixture.startPushing()
            let second = try await fixture.claimOne()
            let name = try tag("sha-111111111111")
            #expect(try await store.ownsCommitTag(first, name))
            #expect(try await !store.ownsCommitTag(second, name))
            func expectTaken() async throws {
                await #expect(throws: CommitTagTaken(by: 1)) {
                    try await store.startPushing(second, commitTag: tag("sha-111111111111"))
                }
                // Nothing was changed by it.
                #expect(try await fixture.build(2).state == .building)
            }
            try await expectTaken()
            // Neither does it change hands while its build waits to run again.
            try await store.giveBack(first)
            #expect(try await store.ownsCommitTag(first, name))
            try await expectTaken()
            let again = try await fixture.pushImage()
            #expect(again == Hold(build: 1, attempt: 2))
            try await store.finish(again)
            try await expectTaken()
            try await store.startPushing(second, commitTag: tag("sha-111111111111-2"))
        }
    }

    @Test(arguments: StoreFactory.all)
    func aCommitTagIsOfOneImage(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let other = try ImageName("registry.example.com/acme/other")
            let new = [
                try Fixture.newBuild(commit: Fixture.commit(1)),
                try Fixture.newBuild(commit: Fixture.commit(1), image: other),
            ]
            _ = try await fixture.store.accept(fixture.delivery(), builds: new)
            _ = try await fixture.startPushing()
            _ = try await fixture.startPushing()
            #expect(try await fixture.store.builds(BuildQuery(states: [.pushing])).count == 2)
        }
    }

    /// Whether its image got there is for the registry to say.
    @Test(arguments: StoreFactory.all, [false, true])
    func aFailedBuildGivesItsCommitTagUpUnlessItsImageWasRead(_ factory: StoreFactory, read: Bool) async throws {
        try await Fixture.with(factory) { fixture in
            for _ in 1...2 { try await fixture.push(1) }
            let first = read ? try await fixture.pushImage() : try await fixture.startPushing()
            let name = try tag("sha-111111111111")
            try await fixture.store.freeCommitTag(name, of: 1)
            #expect(try await fixture.store.ownsCommitTag(first, name), "it has not ended")
            try await fixture.store.fail(first, Failure(.system, read ? .tag : .push, "the registry is down"))
            let second = try await fixture.claimOne()
            try await refused(name, to: second, fixture)
            try await fixture.store.freeCommitTag(tag("sha-222222222222"), of: 1)
            try await refused(name, to: second, fixture)
            try await fixture.store.freeCommitTag(name, of: 1)
            if read { return try await refused(name, to: second, fixture) }
            try await fixture.store.startPushing(second, commitTag: name)
            #expect(try await fixture.store.ownsCommitTag(second, name))
        }
    }

    private func refused(_ name: Model.Tag, to hold: Hold, _ fixture: Fixture) async throws {
        let store = fixture.store
        await #expect(throws: CommitTagTaken(by: 1)) { try await store.startPushing(hold, commitTag: name) }
    }

    @Test(arguments: StoreFactory.all)
    func oneAttemptAtATimeMovesATag(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            let latest = try tag("latest")
            for digit in 1...2 { try await fixture.push(digit) }
            let first = try await fixture.pushImage(1)
            let second = try await fixture.pushImage(2)
            #expect(try await store.startMoving(first, tag: latest) == .granted(holder: nil))
            #expect(try await store.startMoving(first, tag: latest) == .granted(holder: nil))
            #expect(try await store.startMoving(second, tag: latest) == .busy(1))
            // Another tag is another right.
            #expect(try await store.startMoving(second, tag: tag("stable")) == .granted(holder: nil))
            await fixture.expectLost(second) { try await $0.moved(second, tag: latest) }
            #expect(try await store.tag(latest, of: Fixture.image) == nil)

            try await store.moved(first, tag: latest)
            let holder = TagHolder(build: 1, commit: Fixture.commit(1), digest: Fixture.digest(1))
            #expect(try await store.tag(latest, of: Fixture.image) == holder)
            #expect(try await store.startMoving(second, tag: latest) == .granted(holder: holder))
            // The right ended with the move.
            #expect(try await store.startMoving(first, tag: latest) == .busy(2))
            try await store.kept(second, tag: latest, reason: "it points at a newer commit")
            #expect(try await store.tag(latest, of: Fixture.image) == holder)
            #expect(try await store.startMoving(first, tag: latest) == .granted(holder: holder))
        }
    }

    @Test(arguments: StoreFactory.all, ["finish", "fail", "giveBack", "rescue", "retry", "stop"])
    func theRightToMoveEndsWithTheAttempt(_ factory: StoreFactory, ending: String) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            for digit in 1...2 { try await fixture.push(digit) }
            let first = try await fixture.pushImage(1)
            _ = try await store.startMoving(first, tag: tag("latest"))
            switch ending {
            case "finish": try await store.finish(first)
            case "fail": try await store.fail(first, Failure(.system, .tag, "the registry is down"))
            case "giveBack": try await store.giveBack(first)
            case "retry": try await store.retry(first, Failure(.system, .tag, "the registry is down"), after: .zero)
            case "stop":
                _ = try await store.cancel(1, reason: "by ops")
                try await store.stop(first)
            default: _ = try await store.rescue(all: true, tries: 9)
            }
            // Where the first waits again, it runs aside of the second.
            let claimed = try await fixture.claim(2)
            let hold: Hold
            if let second = claimed.last, second.id == 2 {
                hold = second.hold
            } else {
                Issue.record("build 2 was not claimed")
                return
            }
            try await store.startPushing(hold, commitTag: tag("sha-222222222222"))
            try await store.pushed(hold, digest: Fixture.digest(2))
            #expect(try await store.startMoving(hold, tag: tag("latest")) == .granted(holder: nil))
        }
    }

    @Test(arguments: StoreFactory.all)
    func theNextAttemptMovesEveryTagAnew(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await fixture.push(1)
            let first = try await fixture.pushImage(1)
            _ = try await store.startMoving(first, tag: tag("latest"))
            try await store.moved(first, tag: tag("latest"))
            try await store.kept(first, tag: tag("stable"), reason: "older")
            _ = try await store.rescue(all: true, tries: 9)
            #expect(try await fixture.build(1).tags == [BuildTag(name: tag("latest")), BuildTag(name: tag("stable"))])
            let second = try await fixture.pushImage(2)
            let holder = TagHolder(build: 1, commit: Fixture.commit(1), digest: Fixture.digest(1))
            #expect(try await store.startMoving(second, tag: tag("latest")) == .granted(holder: holder))
            try await store.moved(second, tag: tag("latest"))
            #expect(try await store.tag(tag("latest"), of: Fixture.image)?.digest == Fixture.digest(2))
        }
    }

    @Test(arguments: StoreFactory.all)
    func aTagThatTheBuildIsNotToGetIsAMistake(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push(1)
            let hold = try await fixture.pushImage(1)
            await #expect(throws: StoreError.self) { _ = try await fixture.store.startMoving(hold, tag: tag("other")) }
            await #expect(throws: StoreError.self) { try await fixture.store.kept(hold, tag: tag("other"), reason: "") }
        }
    }
}
