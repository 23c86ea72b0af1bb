import Foundation
import Model
import Queue
import TestSupport
import Testing

/// What the store makes of what is told twice, on every kind of database.
@Suite struct StoreBehaviourRepeats {
    private static let told = "this delivery was told before"

    @Test(arguments: StoreFactory.all)
    func aDeliveryToldAgainMakesNoBuild(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let first = try Fixture.newBuild(commit: Fixture.commit(1))
            _ = try await fixture.store.accept(fixture.delivery(sender: "a"), builds: [first])
            // A failed build does not keep another from being made of the same push: only the delivery's id does.
            try await fixture.store.fail(fixture.claimOne(), Failure(.build, .build, "no"))
            var delivery = fixture.delivery(sender: "a")
            delivery.ignored = [Ignored(rule: 3, reason: "no"), Ignored(rule: nil, reason: "whole")]
            // Rule 2 built nothing then, and has come or changed since.
            let second = try Fixture.newBuild(commit: Fixture.commit(1), rule: Fixture.rule(2, tags: ["other"]))
            let acceptance = try await fixture.store.accept(delivery, builds: [first, second])
            #expect(acceptance.builds.map(\.rule.number) == [2])
            #expect(
                acceptance.ignored == [
                    Ignored(rule: nil, reason: "whole"),
                    Ignored(
                        rule: 1,
                        reason: "\(Self.told): it made build 1 (failed); `slipway retry 1` builds it again", build: 1),
                    Ignored(rule: 3, reason: "no"),
                ])
            // It is seen that it came, and what was said.
            #expect(try await fixture.store.delivery(acceptance.delivery)?.ignored == acceptance.ignored)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aDeliveryWithoutACommitIsKnownAgain(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let new = try Fixture.newBuild(commit: nil, ref: "refs/tags/v1")
            #expect(try await fixture.store.accept(fixture.delivery(sender: "a"), builds: [new]).builds.count == 1)
            let hold = try await fixture.claimOne()
            let names = try Fixture.names(Fixture.commit(1), rule: new.rule)
            try await fixture.store.resolve(
                hold, Resolution(commit: Fixture.commit(1), message: "", author: "", names: names))
            try await fixture.store.fail(hold, Failure(.build, .build, "no"))
            #expect(try await fixture.store.accept(fixture.delivery(sender: "a"), builds: [new]).builds.isEmpty)
            #expect(try await fixture.store.accept(fixture.delivery(sender: "b"), builds: [new]).builds.count == 1)
        }
    }

    @Test(arguments: StoreFactory.all)
    func otherDeliveriesAreNoRepeats(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let other = try RepositoryName("acme/other")
            /// Each told build fails, so that the push alone keeps none from being made.
            func told(
                in repository: RepositoryName = Fixture.repository, _ change: (inout NewDelivery) -> Void = { _ in }
            ) async throws -> [Build] {
                var delivery = fixture.delivery(repository: repository, sender: "a")
                change(&delivery)
                let build = try Fixture.newBuild(commit: Fixture.commit(1), repository: repository)
                let builds = try await fixture.store.accept(delivery, builds: [build]).builds
                for build in try await fixture.claim(builds.count) {
                    try await fixture.store.fail(build.hold, Failure(.build, .build, "no"))
                }
                return builds
            }
            // One that somebody asks for again comes first, and is no first telling.
            #expect(try await told { $0.redeliveryOf = "some" }.count == 1)
            #expect(try await told().count == 1)
            #expect(try await told().isEmpty)
            #expect(try await told(in: other).count == 1)
            #expect(try await told { $0.host = "gitea" }.count == 1)
            #expect(try await told { $0.senderID = "b" }.count == 1)
            #expect(try await told { $0.senderID = nil }.count == 1)
            #expect(try await told { $0.senderID = nil }.count == 1)
            #expect(try await told { $0.redeliveryOf = "some" }.count == 1)
            #expect(try await told { $0.force = true }.count == 1)
            #expect(try await told { $0.kind = .trigger }.count == 1)
        }
    }

    @Test(arguments: StoreFactory.all, [Build.State.pending, .building, .pushing, .finished, .failed, .cancelled])
    func aPushToldAgainIsBuiltWhereNoBuildOfItLives(_ factory: StoreFactory, state: Build.State) async throws {
        try await Fixture.with(factory) { fixture in
            let new = try Fixture.newBuild(commit: Fixture.commit(1))
            _ = try await fixture.store.accept(fixture.delivery(), builds: [new])
            switch state {
            case .building: _ = try await fixture.claim()
            case .pushing: _ = try await fixture.startPushing()
            case .finished: try await fixture.finishOne()
            case .failed: try await fixture.store.fail(fixture.claimOne(), Failure(.build, .build, "no"))
            case .cancelled: try await fixture.store.skip(fixture.claimOne(), reason: "no file of it changed")
            default: break
            }
            let lives = ![.failed, .cancelled].contains(state)
            #expect(try await fixture.build(1).state == state)
            let acceptance = try await fixture.store.accept(fixture.delivery(), builds: [new])
            #expect(acceptance.builds.map(\.id) == (lives ? [] : [2]))
            let reason = "build 1 is of this commit and rule already (\(state.rawValue))"
            #expect(
                acceptance.ignored.filter { $0.rule == 1 }
                    == (lives ? [Ignored(rule: 1, reason: reason, build: 1)] : []))
        }
    }

    @Test(arguments: StoreFactory.all)
    func anotherPushOrRuleIsBuilt(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            var changed = Fixture.rule(1)
            changed.target = "debug"
            let image = try ImageName("registry.example.com/acme/elsewhere")
            let builds = [
                try Fixture.newBuild(commit: Fixture.commit(1)),
                try Fixture.newBuild(commit: Fixture.commit(2)),
                try Fixture.newBuild(commit: Fixture.commit(1), ref: "refs/heads/dev"),
                try Fixture.newBuild(commit: Fixture.commit(1), repository: RepositoryName("acme/other")),
                try Fixture.newBuild(commit: Fixture.commit(1), rule: changed),
                try Fixture.newBuild(commit: Fixture.commit(1), image: image),
            ]
            for (index, build) in builds.enumerated() {
                #expect(
                    try await fixture.store.accept(fixture.delivery(), builds: [build]).builds.count == 1, "\(index)")
            }
            // A rule that only stands elsewhere in the settings now is the same.
            let moved = try Fixture.newBuild(commit: Fixture.commit(1), rule: Fixture.rule(4))
            let acceptance = try await fixture.store.accept(fixture.delivery(), builds: [moved])
            #expect(acceptance.ignored.contains { $0.rule == 4 && $0.build == 1 })
            #expect(acceptance.builds.isEmpty)
            // Whoever forces it has it built.
            var forced = fixture.delivery()
            forced.force = true
            #expect(try await fixture.store.accept(forced, builds: builds).builds.count == 6)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aBranchThatWasSetBackIsBuiltAgain(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            func tell(_ digit: Int, from before: Int?, rule: Rule = Fixture.rule()) async throws -> [Build.ID] {
                let build = try Fixture.newBuild(
                    commit: Fixture.commit(digit), before: before.map(Fixture.commit), rule: rule)
                return try await fixture.store.accept(fixture.delivery(), builds: [build]).builds.map(\.id)
            }
            let first = try await tell(1, from: nil)
            #expect(first == [1])
            #expect(try await tell(2, from: 1) == [2])
            // The newest is not where this came from: an old push, told late.
            #expect(try await tell(1, from: nil) == [])
            #expect(try await tell(1, from: 9) == [])
            #expect(try await tell(1, from: 2) == [3])
            // The same, told once more.
            #expect(try await tell(1, from: 2) == [])
            #expect(try await tell(2, from: 1) == [4])
            // Another rule's build says nothing of this one.
            #expect(try await tell(3, from: 2, rule: Fixture.rule(2, tags: ["other"])) == [5])
            #expect(try await tell(2, from: 3) == [])
        }
    }

    @Test(arguments: StoreFactory.all)
    func aPendingBuildOfTheNewestCommitIsEnough(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let newest = try Fixture.newBuild(commit: nil)
            func tell(_ build: NewBuild) async throws -> Acceptance {
                var delivery = fixture.delivery()
                delivery.kind = .trigger
                return try await fixture.store.accept(delivery, builds: [build])
            }
            try await fixture.push(1)
            #expect(try await tell(newest).builds.map(\.id) == [2])
            let again = try await tell(newest)
            let reason = "build 2 is pending and will take the newest commit of main already"
            #expect(again.builds.isEmpty && again.ignored.contains(Ignored(rule: 1, reason: reason, build: 2)))
            #expect(try await tell(Fixture.newBuild(commit: nil, ref: "refs/heads/dev")).builds.map(\.id) == [3])
            // One that runs has taken its commit, or may have.
            _ = try await fixture.claim(2)
            #expect(try await tell(newest).builds.map(\.id) == [4])
        }
    }

    @Test(arguments: StoreFactory.all, Build.State.allCases)
    func aLookBuildsNothingThatHasABuildWhateverBecameOfIt(_ factory: StoreFactory, state: Build.State) async throws {
        try await Fixture.with(factory) { fixture in
            let store = fixture.store
            let told = try Fixture.newBuild(commit: Fixture.commit(1), before: Fixture.commit(9))
            _ = try await store.accept(fixture.delivery(), builds: [told])
            switch state {
            case .pending: break
            case .building: _ = try await fixture.claim()
            case .pushing: _ = try await fixture.startPushing()
            case .finished: try await fixture.finishOne()
            case .failed: try await store.fail(fixture.claimOne(), Failure(.build, .build, "no"))
            case .cancelled: _ = try await store.cancel(1, reason: "by ops")
            case .superseded: try await store.supersede([1], by: fixture.push(2).id)
            }
            let found = try await look(told, fixture)
            #expect(found.builds.isEmpty)
            let reason = "build 1 is of this commit and rule already (\(state.rawValue))"
            #expect(found.ignored.contains(Ignored(rule: 1, reason: reason, build: 1)))
            // Another commit, branch, rule or image was missed.
            let image = try ImageName("registry.example.com/acme/elsewhere")
            let missed = [
                try Fixture.newBuild(commit: Fixture.commit(3)),
                try Fixture.newBuild(commit: Fixture.commit(1), ref: "refs/heads/dev"),
                try Fixture.newBuild(commit: Fixture.commit(1), rule: Fixture.rule(2, tags: ["other"])),
                try Fixture.newBuild(commit: Fixture.commit(1), image: image),
            ]
            for (index, build) in missed.enumerated() {
                let builds = try await look(build, fixture).builds
                #expect(builds.map(\.cause.kind) == [.poll], "\(index)")
            }
        }
    }

    @Test(arguments: StoreFactory.all)
    func aLookFindsThatABranchWasSetBack(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            for digit in 1...2 {
                try await fixture.push(digit)
                try await fixture.store.fail(fixture.claimOne(), Failure(.build, .build, "no"))
            }
            let back = try Fixture.newBuild(commit: Fixture.commit(1), before: Fixture.commit(2))
            #expect(try await look(back, fixture).builds.map(\.id) == [3])
            #expect(try await look(back, fixture).builds.isEmpty)
        }
    }

    @Test(arguments: StoreFactory.all)
    func aLookLeavesAPushToTheBuildThatWillTakeTheNewestCommit(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            var trigger = fixture.delivery()
            trigger.kind = .trigger
            _ = try await fixture.store.accept(trigger, builds: [Fixture.newBuild(commit: nil)])
            let new = try Fixture.newBuild(commit: Fixture.commit(1))
            let found = try await look(new, fixture)
            let reason = "build 1 is pending and will take the newest commit of main already"
            #expect(found.builds.isEmpty && found.ignored.contains(Ignored(rule: 1, reason: reason, build: 1)))
            // One that runs may have taken an older one.
            _ = try await fixture.claim()
            #expect(try await look(new, fixture).builds.map(\.id) == [2])
        }
    }

    private func look(_ build: NewBuild, _ fixture: Fixture) async throws -> Acceptance {
        var delivery = fixture.delivery()
        delivery.kind = .poll
        delivery.host = nil
        delivery.senderID = nil
        return try await fixture.store.accept(delivery, builds: [build])
    }

    @Test(arguments: StoreFactory.all)
    func whatIsToldAtOnceIsSeen(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            let new = try [1, 2].map { try Fixture.newBuild(commit: Fixture.commit(1), rule: Fixture.rule($0)) }
            var (first, second) = (fixture.delivery(), fixture.delivery())
            first.builds = new
            second.builds = [new[0]]
            let acceptances = try await fixture.store.accept([first, second], room: Room())
            #expect(acceptances.map { $0.builds.map(\.id) } == [[1], []])
            #expect(acceptances.map { $0.ignored.compactMap(\.build) } == [[1], [1]])
            #expect(Set(acceptances.map(\.delivery)).count == 2)
        }
    }

    @Test(arguments: StoreFactory.all)
    func whatManyTellAtOnceIsBuiltOnce(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            // Eight pushes, each told eight times: four times under one delivery's id, four times under ids of its own.
            let acceptances = try await withThrowingTaskGroup(of: Acceptance.self) { group in
                for number in 0..<64 {
                    let sender = number % 2 == 0 ? "delivery \(number % 8)" : UUID().uuidString
                    let delivery = fixture.delivery(sender: sender)
                    let build = try Fixture.newBuild(commit: Fixture.commit(number % 8))
                    group.addTask { try await fixture.store.accept(delivery, builds: [build]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(acceptances.map(\.delivery)).count == 64)
            let made = acceptances.flatMap(\.builds)
            #expect(made.map(\.id).sorted() == Array(1...8))
            #expect(Set(made.map(\.commit)).count == 8)
            for acceptance in acceptances {
                let known = acceptance.ignored.compactMap(\.build)
                #expect(acceptance.builds.count + known.count == 1)
            }
            let kept = try await fixture.store.deliveries(DeliveryQuery(limit: 100))
            #expect(Set(kept.map(\.id)) == Set(acceptances.map(\.delivery)))
            #expect(kept.flatMap(\.built).map(\.build).sorted() == Array(1...8))
        }
    }

    @Test(arguments: StoreFactory.all)
    func theLastFinishedIsOfTheSameRefAndRule(_ factory: StoreFactory) async throws {
        try await Fixture.with(factory) { fixture in
            var other = Fixture.rule()
            other.context = nil
            try await fixture.push(1)
            try await fixture.push(2, rule: Fixture.rule(2))
            try await fixture.push(3, rule: other)
            try await fixture.push(4, repository: RepositoryName("acme/other"))
            for _ in 1...4 {
                // A commit tag of its own, since the images are the same.
                let hold = try await fixture.claimOne()
                try await fixture.store.startPushing(hold, commitTag: tag("of-\(hold.build)"))
                try await fixture.store.pushed(hold, digest: Fixture.digest(1))
                try await fixture.store.finish(hold)
            }
            let failed = try await fixture.push(5)
            try await fixture.store.fail(fixture.claimOne(), Failure(.build, .build, "no"))
            let last = try await fixture.push(6)
            #expect(try await fixture.store.lastFinished(before: last)?.id == 2)
            #expect(try await fixture.store.lastFinished(before: failed) == fixture.store.build(2))
            #expect(try await fixture.store.lastFinished(before: fixture.build(2))?.id == 1)
            #expect(try await fixture.store.lastFinished(before: fixture.build(1)) == nil)
            #expect(try await fixture.store.lastFinished(before: fixture.build(3)) == nil)
        }
    }
}
