import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of deliveries that are accepted together, on every kind of database.
@Suite struct StoreBehaviourBatches {
    private func delivery(_ fixture: Fixture, _ builds: [NewBuild], force: Bool = false) -> NewDelivery {
        var delivery = fixture.delivery()
        (delivery.builds, delivery.force) = (builds, force)
        return delivery
    }

    @Test(arguments: StoreFactory.all)
    func whatIsToldTwiceInOneBatchIsBuiltOnce(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            try await fixture.push(1)
            func build(_ digit: Int, rule: Int = 1, tags: [String] = ["latest"]) throws -> NewBuild {
                try Fixture.newBuild(commit: Fixture.commit(digit), rule: Fixture.rule(rule, tags: tags))
            }
            let other = try build(3, rule: 2, tags: ["other"])
            let answers = try await fixture.store.accept(
                [
                    delivery(fixture, [try build(2)]), delivery(fixture, [try build(2)]),
                    // Two rules of one push, and the first of them elsewhere in the settings.
                    delivery(fixture, [try build(3), other, try build(3, rule: 7)]),
                    delivery(fixture, [try build(2)], force: true), delivery(fixture, [try build(4)]),
                ], room: Room())
            // In their order, and none is lost on the way.
            #expect(answers.map { $0.builds.map(\.id) } == [[2], [], [3, 4], [5], [6]])
            #expect(answers.map { $0.ignored.compactMap(\.build) } == [[], [2], [3], [], []])
            let kept = try await fixture.store.builds(BuildQuery())
            #expect(kept.map(\.id) == [6, 5, 4, 3, 2, 1])
            #expect(try await fixture.store.load().pending == 6)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aPushTakesThePlaceOfOneOfItsOwnBatch(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let answers = try await fixture.store.accept(
                try (1...3).map { digit in
                    let before = digit > 1 ? Fixture.commit(digit - 1) : nil
                    return delivery(
                        fixture, [try Fixture.newBuild(commit: Fixture.commit(digit), before: before)])
                }, room: Room())
            #expect(answers.map(\.superseded) == [[], [1], [2]])
            #expect(try await fixture.store.load().pending == 1)
            // Set back to where it was: that is built anew.
            let back = try await fixture.store.accept(
                [
                    delivery(
                        fixture, [try Fixture.newBuild(commit: Fixture.commit(1), before: Fixture.commit(3))])
                ], room: Room())
            #expect(back.map { $0.builds.map(\.id) } == [[4]])
            #expect(back.map(\.superseded) == [[3]])
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatFindsNoRoomUsesUpNothing(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let two = try [1, 2].map { delivery(fixture, [try Fixture.newBuild(commit: Fixture.commit($0))]) }
            await #expect(throws: QueueFull.self) {
                try await fixture.store.accept(two, room: Room(inAll: 1))
            }
            #expect(try await fixture.store.builds(BuildQuery()).isEmpty)
            #expect(try await fixture.store.deliveries(DeliveryQuery()).isEmpty)
            _ = try await fixture.store.accept(two, room: Room(inAll: 2))
            #expect(try await fixture.store.load().pending == 2)
        }
    }
}
