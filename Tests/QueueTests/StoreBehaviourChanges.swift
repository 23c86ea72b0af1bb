import Foundation
import Model
import Platform
import Queue
import TestSupport
import Testing

/// What the store promises of telling, on every kind of database.
@Suite struct StoreBehaviourChanges {
    /// Whether the stream had an element to take.
    private func rang(_ stream: AsyncStream<Void>) async -> Bool {
        await withDeadline(.seconds(60)) {
            var elements = stream.makeAsyncIterator()
            return await elements.next() != nil
        } ?? false
    }

    @Test(arguments: StoreFactory.all)
    func pendingRingsWhenBuildsCanBeClaimed(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let pending = fixture.store.changes(.pending)
            let other = fixture.store.changes(.pending)
            try await fixture.push()
            #expect(await rang(pending))
            try await fixture.store.giveBack(try await fixture.claimOne())
            #expect(await rang(pending))
            _ = try await fixture.claimOne()
            _ = try await fixture.store.rescue(all: true, tries: 9)
            #expect(await rang(pending))
            let idle = fixture.store.changes(.build(99))
            // Three that were not taken are one.
            #expect(await rang(other))
            await fixture.store.close()
            let (again, all) = (await rang(other), await rang(idle))
            #expect(!again || all)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aBuildRingsForEachOfItsChanges(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            try await fixture.push()
            let changes = store.changes(.build(1))
            let hold = try await fixture.claimOne()
            #expect(await rang(changes))
            let names = try Fixture.names(Fixture.commit(1))
            try await store.resolve(hold, Resolution(commit: Fixture.commit(1), message: "", author: "", names: names))
            #expect(await rang(changes))
            try await store.append(hold, log: Data("x".utf8))
            #expect(await rang(changes))
            try await store.startPushing(hold, commitTag: names.commitTag)
            #expect(await rang(changes))
            try await store.pushed(hold, digest: Fixture.digest(1))
            #expect(await rang(changes))
            _ = try await store.startMoving(hold, tag: tag("latest"))
            try await store.moved(hold, tag: tag("latest"))
            #expect(await rang(changes))
            try await store.kept(hold, tag: tag("stable"), reason: "older")
            #expect(await rang(changes))
            _ = try await store.rescue(all: true, tries: 9)
            #expect(await rang(changes))
            try await store.fail(try await fixture.claimOne(), Failure(.build, .build, "no"))
            #expect(await rang(changes))
        }
    }

    @Test(arguments: StoreFactory.all)
    func otherBuildsAndRefusedCallsDoNotRing(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push(1)
            try await fixture.push(2)
            _ = try await fixture.claimOne()
            // Rings with the others only, where a database that is shared rings all, as anything may have changed.
            let idle = fixture.store.changes(.build(99))
            let changes = fixture.store.changes(.build(1))
            let second = try await fixture.claimOne()
            try await fixture.store.append(second, log: Data("x".utf8))
            let late = Hold(build: 1, attempt: 9)
            await fixture.expectLost(late) { try await $0.append(late, log: Data("x".utf8)) }
            // Closing ends the stream: what comes first is the end, as nothing rang.
            await fixture.store.close()
            let (rung, all) = (await rang(changes), await rang(idle))
            #expect(!rung || all)
        }
    }
}
