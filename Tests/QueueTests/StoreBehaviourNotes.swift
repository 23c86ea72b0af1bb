import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store notes for the service itself, on every kind of database: pauses, and what poll saw.
@Suite struct StoreBehaviourNotes {
    @Test(arguments: StoreFactory.all)
    func whilePausedNothingIsClaimedAlsoAfterOpeningAgain(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await fixture.push(1)
            #expect(try await store.paused() == nil)
            #expect(try await store.resume() == nil)
            let pause = Pause(since: fixture.time.now, by: "ops", reason: "the registry moves")
            try await store.pause(pause)
            // The first stands: whoever asks again changes nothing.
            try await store.pause(Pause(since: fixture.time.now.addingTimeInterval(9)))
            #expect(try await store.paused() == pause)
            #expect(try await fixture.claim().isEmpty)
            // Pushes are accepted all the same.
            try await fixture.push(2)
            await store.close()

            let again = try await fixture.openAgain()
            #expect(try await again.paused() == pause)
            #expect(try await again.claim(limit: 9, worker: "w", lease: Fixture.lease).isEmpty)
            #expect(try await again.load() == QueueLoad(pending: 2, running: 0))
            #expect(try await again.resume() == pause)
            #expect(try await again.paused() == nil)
            #expect(try await again.claim(limit: 9, worker: "w", lease: Fixture.lease).map(\.id) == [1, 2])
            await again.close()
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatRunsGoesOnWhilePaused(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push(1)
            let hold = try await fixture.pushImage()
            try await fixture.store.pause(Pause(since: fixture.time.now))
            #expect(try await fixture.store.paused() == Pause(since: fixture.time.now))
            try await fixture.store.renew(hold, lease: Fixture.lease)
            try await fixture.store.finish(hold)
            #expect(try await fixture.build(1).state == .finished)
        }
    }

    @Test(arguments: StoreFactory.all)
    func whoWaitsForBuildsIsToldWhenThePauseIsOver(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.store.pause(Pause(since: fixture.time.now))
            var changes = fixture.store.changes(.pending).makeAsyncIterator()
            _ = try await fixture.store.resume()
            #expect(await changes.next() != nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func theRefsThatWereSeenAreThoseOfTheLastLook(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            let main = try RefName("refs/heads/main")
            let odd = try RefName("refs/tags/v1-\u{e4}\"'")
            // Never looked at is not the same as empty.
            #expect(try await store.seenRefs(Fixture.repository) == nil)
            try await store.saw([:], in: Fixture.repository)
            #expect(try await store.seenRefs(Fixture.repository) == [:])
            try await store.saw([main: Fixture.commit(1), odd: Fixture.commit(2)], in: Fixture.repository)
            #expect(
                try await store.seenRefs(Fixture.repository) == [main: Fixture.commit(1), odd: Fixture.commit(2)])
            // All of them: what is gone is gone.
            try await store.saw([main: Fixture.commit(3)], in: Fixture.repository)
            #expect(try await store.seenRefs(RepositoryName("acme/other")) == nil)
            await store.close()
            let again = try await fixture.openAgain()
            #expect(try await again.seenRefs(Fixture.repository) == [main: Fixture.commit(3)])
            await again.close()
        }
    }
}
