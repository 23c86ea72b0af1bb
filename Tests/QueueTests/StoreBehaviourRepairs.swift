import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store promises of the right to put a tag right.
@Suite struct StoreBehaviourRepairs {
    @Test(arguments: StoreFactory.all)
    func oneAtATimePutsATagRightAndNoBuildMovesItMeanwhile(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let (store, latest) = (fixture.store, try tag("latest"))
            for digit in 1...2 { try await fixture.push(digit) }
            let first = try await fixture.pushImage(1)
            // Nothing is known of it yet.
            #expect(try await store.startRepair(latest, of: Fixture.image, for: .seconds(60)) == nil)
            _ = try await store.startMoving(first, tag: latest)
            try await store.moved(first, tag: latest)
            let holder = TagHolder(build: 1, commit: Fixture.commit(1), digest: Fixture.digest(1))
            #expect(try await store.startRepair(latest, of: Fixture.image, for: .seconds(60)) == holder)
            #expect(try await store.startRepair(latest, of: Fixture.image, for: .seconds(60)) == nil)
            let second = try await fixture.pushImage(2)
            #expect(try await store.startMoving(second, tag: latest) == .busy(1))
            // Whoever died over it keeps nobody from it for longer.
            fixture.time.advance(by: .seconds(61))
            #expect(try await store.startRepair(latest, of: Fixture.image, for: .seconds(60)) == holder)
            try await store.endRepair(latest, of: Fixture.image)
            #expect(try await store.startMoving(second, tag: latest) == .granted(holder: holder))
            #expect(try await store.startRepair(latest, of: Fixture.image, for: .seconds(60)) == nil)
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatIsFoundIsForgottenWhenABuildMovesTheTag(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let (store, latest) = (fixture.store, try tag("latest"))
            for digit in 1...2 { try await fixture.push(digit) }
            for digit in 1...2 {
                let hold = try await fixture.pushImage(digit)
                _ = try await store.startMoving(hold, tag: latest)
                let before = try await store.tags(of: Fixture.image).first
                try await store.moved(hold, tag: latest)
                let other = FoundTag(digest: Fixture.digest(9), since: fixture.time.now)
                // Of a tag as it was before it moved, nothing is noted.
                if let before { try await store.found(other, at: before) }
                let place = try #require(try await store.tags(of: Fixture.image).first)
                #expect(place.found == nil)
                #expect(place.holder.digest == Fixture.digest(digit) && place.name == latest)
                try await store.found(other, at: place)
                #expect(try await store.tags(of: Fixture.image).first?.found == other)
                try await store.finish(hold)
            }
            #expect(try await store.tags(of: ImageName("registry.example.com/acme/other")).isEmpty)
        }
    }
}
