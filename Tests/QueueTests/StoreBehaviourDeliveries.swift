import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of deliveries, on every kind of database.
@Suite struct StoreBehaviourDeliveries {
    @Test(arguments: StoreFactory.all)
    func aDeliveryIsReadBackAsGiven(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            var new = fixture.delivery(sender: "7")
            new.headers = [
                Header(name: "User-Agent", value: "hook \"1\""), Header(name: "X-Odd", value: "\u{1}\\ é 🚢 /"),
            ]
            new.token = "deploy"
            new.redeliveryOf = "some"
            new.body = Data([0, 255, 10])
            new.builds = try [3, 1].map {
                try Fixture.newBuild(commit: Fixture.commit(1), rule: Fixture.rule($0, tags: ["r\($0)"]))
            }
            let acceptance = try #require(try await fixture.store.accept([new], room: Room()).first)
            let expected = Delivery(
                id: acceptance.delivery, repository: Fixture.repository, kind: .webhook, host: "github", senderID: "7",
                event: "push", token: "deploy", remoteAddress: "127.0.0.1", headers: new.headers, body: new.body,
                bodyLength: 3, receivedAt: fixture.time.now, redeliveryOf: "some",
                built: [Delivery.Built(rule: 3, build: 1), Delivery.Built(rule: 1, build: 2)], ignored: new.ignored)
            #expect(try await fixture.store.delivery(acceptance.delivery) == expected)
            var listed = expected
            listed.body = Data()
            #expect(try await fixture.store.deliveries(DeliveryQuery()) == [listed])
            #expect(try await fixture.store.delivery("none") == nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aDeliveryOfNoRepositoryIsKeptWithItsReason(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let new = NewDelivery(
                repository: nil, kind: .webhook, host: "gitea", remoteAddress: "127.0.0.1",
                receivedAt: fixture.time.now, ignored: [Ignored(rule: nil, reason: "no repository has this address")])
            let kept = try await fixture.store.accept(new)
            let delivery = try #require(try await fixture.store.delivery(kept.delivery))
            #expect(delivery.repository == nil && delivery.senderID == nil && delivery.headers.isEmpty)
            #expect(delivery.ignored == new.ignored && delivery.built.isEmpty && delivery.body.isEmpty)
        }
    }

    @Test(arguments: StoreFactory.all)
    func deliveriesAreListedNewestFirst(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let other = try RepositoryName("acme/other")
            var ids: [String] = []
            // The clock is set back meanwhile: they are listed as they came.
            for (index, kind) in [Cause.Kind.webhook, .trigger, .api, .webhook, .trigger].enumerated() {
                var delivery = fixture.delivery(repository: index < 3 ? Fixture.repository : other)
                delivery.kind = kind
                delivery.receivedAt = fixture.time.now.addingTimeInterval(Double(-index))
                ids.append(try await fixture.store.accept(delivery).delivery)
            }
            func places(_ query: DeliveryQuery) async throws -> [Int] {
                try await fixture.store.deliveries(query).map { try #require(ids.firstIndex(of: $0.id)) }
            }
            #expect(try await places(DeliveryQuery()) == [4, 3, 2, 1, 0])
            #expect(try await places(DeliveryQuery(limit: 2)) == [4, 3])
            #expect(try await places(DeliveryQuery(limit: -1)) == [])
            #expect(try await places(DeliveryQuery(before: ids[3], limit: 2)) == [2, 1])
            #expect(try await places(DeliveryQuery(before: "none")) == [])
            #expect(try await places(DeliveryQuery(repository: other)) == [4, 3])
            #expect(try await places(DeliveryQuery(kinds: [.trigger, .api])) == [4, 2, 1])
            #expect(
                try await places(DeliveryQuery(repository: Fixture.repository, kinds: [.trigger], before: ids[2]))
                    == [1])
        }
    }
}
