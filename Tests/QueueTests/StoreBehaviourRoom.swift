import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of its bounds and of many callers at once, on every kind of database.
@Suite struct StoreBehaviourRoom {
    private static let other = sure(try RepositoryName("acme/other"))

    private func tell(
        _ fixture: Fixture, _ digits: Int..., to repository: RepositoryName = Fixture.repository, room: Room
    ) async throws -> Acceptance {
        var delivery = fixture.delivery(repository: repository)
        delivery.builds = try digits.map {
            try Fixture.newBuild(commit: Fixture.commit($0), repository: repository)
        }
        return try #require(try await fixture.store.accept([delivery], room: room).first)
    }

    @Test(arguments: StoreFactory.all)
    func noMoreThanMayBePendingIsKept(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            let room = Room(inAll: 4, perRepository: 3)
            _ = try await tell(fixture, 1, 2, room: room)
            await #expect(throws: QueueFull(repository: Fixture.repository, limit: 3)) {
                _ = try await tell(fixture, 3, 4, room: room)
            }
            // Nothing of it is there.
            #expect(try await store.load() == QueueLoad(pending: 2, running: 0))
            #expect(try await store.deliveries(DeliveryQuery()).count == 1)
            _ = try await tell(fixture, 3, room: room)
            #expect(try await tell(fixture, 4, to: Self.other, room: room).builds.count == 1)
            await #expect(throws: QueueFull(repository: nil, limit: 4)) {
                _ = try await tell(fixture, 5, to: Self.other, room: room)
            }
            // What builds nothing new is always taken.
            #expect(try await tell(fixture, 1, 2, room: room).builds.isEmpty)
            #expect(try await tell(fixture, room: room).builds.isEmpty)
            // A build that runs makes room, and takes it back with the lost attempt.
            _ = try await fixture.claim(2)
            _ = try await tell(fixture, 6, room: room)
            _ = try await store.rescue(all: true, tries: 9)
            #expect(try await store.load() == QueueLoad(pending: 5, running: 0))
            await #expect(throws: QueueFull.self) { _ = try await tell(fixture, 7, to: Self.other, room: room) }
        }
    }

    @Test(arguments: StoreFactory.all)
    func whoFindsNoRoomLeavesNothingOfAnyDelivery(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            var (first, second) = (fixture.delivery(), fixture.delivery(repository: Self.other))
            first.builds = [try Fixture.newBuild(commit: Fixture.commit(1))]
            second.builds = try [1, 2].map {
                try Fixture.newBuild(commit: Fixture.commit($0), repository: Self.other)
            }
            await #expect(throws: QueueFull(repository: Self.other, limit: 1)) {
                _ = try await fixture.store.accept([first, second], room: Room(perRepository: 1))
            }
            #expect(try await fixture.store.load() == QueueLoad(pending: 0, running: 0))
            #expect(try await fixture.store.deliveries(DeliveryQuery()).isEmpty)
            #expect(try await fixture.store.accept([first], room: Room(perRepository: 1)).first?.builds.count == 1)
        }
    }

    @Test(arguments: StoreFactory.all)
    func eachOfManyCallersFailsAlone(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let pending = fixture.store.changes(.pending)
            // Two builds each: ten find room, and whether one does says nothing of the next.
            let kept = try await withThrowingTaskGroup(of: Acceptance?.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        var delivery = fixture.delivery()
                        delivery.builds = try ["a", "b"].map {
                            try Fixture.newBuild(commit: Fixture.commit(1), ref: "refs/heads/\($0)\(number)")
                        }
                        do {
                            return try await fixture.store.accept([delivery], room: Room(perRepository: 20)).first
                        } catch is QueueFull {
                            return nil
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }.compactMap(\.self)
            }
            #expect(kept.count == 10)
            #expect(kept.allSatisfy { $0.builds.count == 2 })
            #expect(try await fixture.store.load() == QueueLoad(pending: 20, running: 0))
            let ids = try await fixture.store.deliveries(DeliveryQuery()).map(\.id)
            #expect(Set(ids) == Set(kept.map(\.delivery)))
            for build in kept.flatMap(\.builds) {
                #expect(try await fixture.store.build(build.id) == build)
            }
            var elements = pending.makeAsyncIterator()
            #expect(await elements.next() != nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aWorkerGetsItsTurnAmongManyCallers(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push()
            let hold = try await fixture.claimOne()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<600 {
                    group.addTask {
                        let build = try Fixture.newBuild(commit: nil, ref: "refs/heads/b\(number)")
                        _ = try await fixture.store.accept(fixture.delivery(), builds: [build])
                    }
                    if number % 100 == 0 {
                        group.addTask { try await fixture.store.renew(hold, lease: Fixture.lease) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await fixture.store.load() == QueueLoad(pending: 600, running: 1))
        }
    }
}
