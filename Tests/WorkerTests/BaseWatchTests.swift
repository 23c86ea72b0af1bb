import Foundation
import Model
import Platform
import Queue
import TestSupport
import Testing

@testable import Worker

/// What is built again when a base image moves, in which order, and what is not.
@Suite struct BaseWatchTests {
    /// Its details, oldest first.
    private func details(_ shelf: Shelf) async throws -> [String] {
        try await shelf.store.builds(BuildQuery()).reversed().compactMap(\.cause.detail)
    }

    private func short(_ text: String) throws -> Substring { try Shelf.digest(text).text.prefix(19) }

    @Test func whatStandsOnItIsBuiltAndNothingElse() async throws {
        let shelf = try await Shelf("a", "b")
        try shelf.move("debian", to: "d1")
        try shelf.move("alpine", to: "l1")
        let former = try await shelf.build("a", on: "debian", as: "a1")
        try await shelf.build("b", on: "alpine", as: "b1")
        let both = try [shelf.image("debian"), shelf.image("alpine")]
        await shelf.watch.look(at: Set(both))
        #expect(try await shelf.pending() == [])

        try shelf.move("debian", to: "d2")
        // Nobody looked at it.
        await shelf.watch.look(at: [both[1]])
        #expect(try await shelf.pending() == [])
        await shelf.watch.look(at: Set(both))
        #expect(try await shelf.pending() == ["a"])
        let build = try #require(try await shelf.store.builds(BuildQuery(states: [.pending])).first)
        #expect(build.commit == former.commit && build.ref == former.ref && build.rule.number == 1)
        let name = both[0].text
        #expect(
            build.cause
                == Cause(
                    .base, delivery: build.cause.delivery,
                    detail: "base image \(name) moved from \(try short("d1")) to \(try short("d2"))"))
        #expect(build.cause.delivery != nil)
        // Neither while it is pending, nor when it has ended.
        await shelf.watch.look(at: Set(both))
        try await shelf.finish("a", on: "debian", as: "a2")
        await shelf.watch.look(at: Set(both))
        #expect(try await shelf.pending() == [])
        #expect(try await shelf.store.builds(BuildQuery()).count == 3)
    }

    @Test func namesAreWrittenAsPeopleDo() throws {
        func shown(_ text: String) throws -> String { try ImageReference(text).shown }
        #expect(try shown("debian:bookworm") == "debian:bookworm")
        #expect(try shown("docker.io/acme/base:1") == "acme/base:1")
        #expect(try shown("localhost:5000/library/base:1") == "localhost:5000/library/base:1")
    }

    /// A build that failed is not tried again for what it failed on, but it is for what comes then.
    @Test func aMoveIsFollowedOnce() async throws {
        let shelf = try await Shelf("a")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        try shelf.move("x", to: "x2")
        let x = try shelf.image("x")
        await shelf.watch.look(at: [x])
        let hold = try await shelf.claim(try #require(try await shelf.store.builds(BuildQuery(limit: 1)).first))
        try await shelf.store.fail(hold, Failure(.build, .build, "no such file"))
        await shelf.watch.look(at: [x])
        #expect(try await shelf.pending() == [])
        try shelf.move("x", to: "x3")
        await shelf.watch.look(at: [x])
        #expect(try await shelf.pending() == ["a"])
    }

    @Test func aBaseThatGoesBackAndForthIsFollowedEachTime() async throws {
        let shelf = try await Shelf("a")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        for (round, text) in ["x2", "x1", "x2", "x1"].enumerated() {
            try shelf.move("x", to: text)
            await shelf.watch.look(at: [try shelf.image("x")])
            #expect(try await shelf.pending() == ["a"], "round \(round)")
            try await shelf.finish("a", on: "x", as: "a\(round + 2)")
        }
        #expect(Set(try await details(shelf)).count == 2)
    }

    /// As distribution tells of a manifest before it moves the tag.
    @Test(.timeLimit(.minutes(6)))
    func whatMovesJustAfterItWasToldIsSeen() async throws {
        let shelf = try await Shelf("a")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        let before = shelf.asked
        let watch = shelf.watch
        let watching = Task { await watch.run() }
        #expect(await eventually { shelf.time.sleepers == 1 })
        watch.told(of: [try shelf.image("x")])
        #expect(await eventually { shelf.asked == before + 1 && shelf.time.sleepers == 2 })
        try shelf.move("x", to: "x2")
        shelf.time.advance(by: .seconds(2))
        #expect(try await shelf.waitUntilPending("a"))
        watching.cancel()
        await watching.value
    }

    // MARK: Several

    /// Of several that share a queue one looks by itself; whoever is told of a move looks at once.
    @Test(.enabled(if: PostgreSQLServer.programs != nil, "needs PostgreSQL"), .timeLimit(.minutes(6)))
    func oneOfManyLooksRegularly() async throws {
        let shelf = try await Shelf("a", basePoll: .seconds(600), isShared: true)
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        let before = shelf.asked
        #expect(try await shelf.store.takeDuty("base poll", by: "another", for: .seconds(7000)))
        let watch = shelf.watch
        let watching = Task { await watch.run() }
        // The duty, and the steps of the schedule.
        for _ in 1...30 {
            #expect(await eventually { shelf.time.sleepers == 2 })
            shelf.time.advance(by: .seconds(60))
        }
        #expect(await eventually { shelf.time.sleepers == 2 })
        #expect(shelf.asked == before)
        watch.look(soonAt: [try shelf.image("x")])
        #expect(await eventually { shelf.asked == before + 1 })
        try await shelf.store.leaveDuties(of: "another")
        for _ in 1...15 {
            shelf.time.advance(by: .seconds(60))
            #expect(await eventually { shelf.time.sleepers == 2 })
        }
        #expect(await eventually { shelf.asked > before + 1 })
        watching.cancel()
        await watching.value
        try await shelf.close()
    }

    // MARK: Order

    @Test(.timeLimit(.minutes(6)))
    func aChainIsBuiltInItsOrder() async throws {
        let shelf = try await Shelf("a", "b")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        try await shelf.build("b", on: "a", as: "b1")
        let watch = shelf.watch
        let watching = Task { await watch.run() }
        try shelf.move("x", to: "x2")
        watch.look(soonAt: [try shelf.image("x")])
        #expect(try await shelf.waitUntilPending("a"))
        #expect(try await shelf.pending() == ["a"])
        try await shelf.finish("a", on: "x", as: "a2")
        #expect(try await shelf.waitUntilPending("b"))
        watching.cancel()
        await watching.value
    }

    /// C stands on X and B, B on A, A on X: nobody looks at B before A is there, and C waits all the same.
    @Test(.timeLimit(.minutes(6)))
    func whatStandsOnItByManyStepsIsBuiltOnce() async throws {
        let shelf = try await Shelf("c", "b", "a")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        try await shelf.build("b", on: "a", as: "b1")
        try await shelf.build("c", on: "b", "x", as: "c1")
        let watch = shelf.watch
        let watching = Task { await watch.run() }
        try shelf.move("x", to: "x2")
        await watch.look(at: [try shelf.image("x")])
        #expect(try await shelf.pending() == ["a"])
        try await shelf.finish("a", on: "x", as: "a2")
        #expect(try await shelf.waitUntilPending("b"))
        #expect(try await shelf.pending() == ["b"])
        try await shelf.finish("b", on: "a", as: "b2")
        #expect(try await shelf.waitUntilPending("c"))
        #expect(try await shelf.pending() == ["c"])
        watching.cancel()
        await watching.value
    }

    /// B stands on X and on A, which stands on X: it is built once, on the new A.
    @Test(.timeLimit(.minutes(6)), arguments: [false, true])
    func aDiamondIsBuiltOnce(_ fails: Bool) async throws {
        let shelf = try await Shelf("b", "a", "c")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        try await shelf.build("b", on: "a", "x", as: "b1")
        // One behind, that waits for what waits.
        try await shelf.build("c", on: "b", "x", as: "c1")
        let watch = shelf.watch
        let watching = Task { await watch.run() }
        try shelf.move("x", to: "x2")
        await watch.look(at: [try shelf.image("x")])
        #expect(try await shelf.pending() == ["a"])
        // Again, with A's build there already.
        await watch.look(at: [try shelf.image("x")])
        #expect(try await shelf.pending() == ["a"])
        if fails {
            let hold = try await shelf.claim(try #require(try await shelf.store.builds(BuildQuery(limit: 1)).first))
            try await shelf.store.fail(hold, Failure(.build, .build, "no such file"))
        } else {
            try await shelf.finish("a", on: "x", as: "a2")
        }
        #expect(try await shelf.waitUntilPending("b"))
        #expect(try await shelf.pending() == ["b"])
        try await shelf.finish("b", on: "a", "x", as: "b2")
        #expect(try await shelf.waitUntilPending("c"))
        try await shelf.finish("c", on: "b", "x", as: "c2")
        await watch.look(at: [try shelf.image("x"), try shelf.image("a"), try shelf.image("b")])
        #expect(try await shelf.pending() == [])
        #expect(try await details(shelf).count == 3)
        watching.cancel()
        await watching.value
    }

    /// A push is being built: it will see what moved.
    @Test(.timeLimit(.minutes(6)))
    func whatIsBeingBuiltAnywayIsNotQueuedBesides() async throws {
        let shelf = try await Shelf("a")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        try shelf.move("x", to: "x2")
        let watch = shelf.watch
        let watching = Task { await watch.run() }
        let hold = try await shelf.claim(try await shelf.push("a"))
        await watch.look(at: [try shelf.image("x")])
        #expect(try await shelf.pending() == [])
        // It came to nothing: the base is followed after all.
        try await shelf.store.fail(hold, Failure(.build, .build, "no such file"))
        #expect(try await shelf.waitUntilPending("a"))
        watching.cancel()
        await watching.value
    }

    /// A build of a push ended while the registry was asked.
    @Test func whatIsNoLongerTheNewestIsNotBuiltAgain() async throws {
        let shelf = try await Shelf("a")
        try shelf.move("x", to: "x1")
        let former = try await shelf.build("a", on: "x", as: "a1")
        try shelf.move("x", to: "x2")
        let inUse = try await shelf.store.basesInUse()
        let move = try BaseMove(
            base: shelf.image("x"), from: Shelf.digest("x1"), to: Shelf.digest("x2"), user: former.id)
        try await shelf.build("a", on: "x", as: "a2")
        var following = BaseFollowing(watch: shelf.watch, [move], inUse)
        try await following.run()
        #expect(try await shelf.pending() == [])
    }

    // MARK: Circles

    @Test func aCircleEnds() async throws {
        let shelf = try await Shelf("a", "b")
        try shelf.move("b", to: "b0")
        try await shelf.build("a", on: "b", as: "a1")
        try await shelf.build("b", on: "a", as: "b1")
        let (a, b) = (try shelf.image("a"), try shelf.image("b"))
        await shelf.watch.look(at: [b])
        #expect(try await shelf.pending() == ["a"])
        try await shelf.finish("a", on: "b", as: "a2")
        await shelf.watch.look(at: [a])
        // B moved by itself, A for it: B's turn is over.
        #expect(try await shelf.pending() == [])
        let watch = shelf.watch
        await watch.look(at: [a])
        await watch.look(at: [a, b])
        #expect(shelf.said.count("acme/b stands on itself by way of acme/a: it is not rebuilt again") == 2)

        // A push of one of them makes one more round.
        try await shelf.build("b", on: "a", as: "b2")
        await shelf.watch.look(at: [a, b])
        #expect(try await shelf.pending() == ["a"])
        try await shelf.finish("a", on: "b", as: "a3")
        await shelf.watch.look(at: [a, b])
        #expect(try await shelf.pending() == [])
    }

    @Test func whatStandsOnItselfIsNotBuiltForItself() async throws {
        let shelf = try await Shelf("a")
        try shelf.move("a", to: "a0")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "a", "x", as: "a1")
        await shelf.watch.look(at: [try shelf.image("a")])
        #expect(try await shelf.pending() == [])
        #expect(shelf.said.count("acme/a stands on itself: it is not rebuilt again") == 1)
        // But for what else it stands on.
        try shelf.move("x", to: "x2")
        await shelf.watch.look(at: [try shelf.image("a"), try shelf.image("x")])
        #expect(try await shelf.pending() == ["a"])
    }

    /// Three, where another image is behind the circle.
    @Test func aLongerCircleEndsToo() async throws {
        let shelf = try await Shelf("a", "b", "c")
        try shelf.move("x", to: "x1")
        try shelf.move("c", to: "c0")
        try await shelf.build("a", on: "c", "x", as: "a1")
        try await shelf.build("b", on: "a", as: "b1")
        try await shelf.build("c", on: "b", as: "c1")
        // Their first round is that of the push of C.
        for (name, base) in [("a", "c"), ("b", "a")] {
            await shelf.watch.look(at: [try shelf.image(base)])
            try await shelf.finish(name, on: base, "x", as: "\(name)2")
        }
        await shelf.watch.look(at: [try shelf.image("b")])
        #expect(try await shelf.pending() == [])
        try shelf.move("x", to: "x2")
        let all = try ["a", "b", "c", "x"].map { try shelf.image($0) }
        var rounds = 0
        while rounds < 10 {
            await shelf.watch.look(at: Set(all))
            guard let name = try await shelf.pending().first else { break }
            let base = ["a": "c", "b": "a", "c": "b"][name] ?? ""
            try await shelf.finish(name, on: base, "x", as: "\(name) of round \(rounds)")
            rounds += 1
        }
        #expect(rounds < 10)
    }

    @Test func aChainThatIsTooLongEnds() async throws {
        let shelf = try await Shelf(
            "i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8", "i9", "i10", "i11", "i12",
            "i13", "i14", "i15", "i16", "i17")
        try shelf.move("x", to: "x1")
        for number in 0...17 {
            try await shelf.build("i\(number)", on: number == 0 ? "x" : "i\(number - 1)", as: "\(number) first")
        }
        try shelf.move("x", to: "x2")
        var built = 0
        for number in 0...17 {
            await shelf.watch.look(at: [try shelf.image(number == 0 ? "x" : "i\(number - 1)")])
            guard try await shelf.pending() == ["i\(number)"] else { break }
            try await shelf.finish("i\(number)", on: number == 0 ? "x" : "i\(number - 1)", as: "\(number) second")
            built += 1
        }
        // X's own move is one of the 16.
        #expect(built == BaseFollowing.longestChain - 1)
        #expect(shelf.said.count("16 moves led to that of") == 1)
    }

    // MARK: Trouble

    @Test func whatVanishedIsToldOnceAndLeftAlone() async throws {
        let shelf = try await Shelf("a")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        try shelf.move("x", to: nil)
        let (watch, x) = (shelf.watch, try shelf.image("x"))
        for _ in 1...3 { await watch.look(at: [x]) }
        #expect(try await shelf.pending() == [])
        #expect(shelf.said.count("no longer has \(x.shown)") == 1)
        try shelf.move("x", to: "x2")
        await watch.look(at: [x])
        #expect(try await shelf.pending() == ["a"])
    }

    @Test(.timeLimit(.minutes(6)))
    func aRegistryThatHasHadEnoughIsLeftAloneAndThenAskedAgain() async throws {
        let shelf = try await Shelf("a")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        try shelf.move("x", to: "x2")
        shelf.spoil(.answer(429, [("Retry-After", "300")]))
        let (watch, x) = (shelf.watch, try shelf.image("x"))
        await watch.look(at: [x])
        #expect(shelf.asked == 1)
        for _ in 1...4 {
            shelf.time.advance(by: .seconds(60))
            await watch.look(at: [x])
        }
        #expect(shelf.asked == 1)
        #expect(shelf.said.count("can't look whether base image \(x.shown) has moved") == 1)
        shelf.spoil(nil)
        shelf.time.advance(by: .seconds(61))
        // Nobody tells of it any more, and it is not looked at regularly.
        let watching = Task { await watch.run() }
        #expect(try await shelf.waitUntilPending("a"))
        watching.cancel()
        await watching.value
    }

    @Test func whatHasNoRoomIsQueuedLater() async throws {
        let shelf = try await Shelf("a", "b")
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        try await shelf.build("b", on: "x", as: "b1")
        try shelf.move("x", to: "x2")
        shelf.room.withLock { $0 = 1 }
        await shelf.watch.look(at: [try shelf.image("x")])
        #expect(try await shelf.pending() == ["a"])
        #expect(shelf.said.count("which is the limit") == 1)
        shelf.room.withLock { $0 = 2 }
        await shelf.watch.look(at: [try shelf.image("x")])
        #expect(try await shelf.pending() == ["a", "b"])
    }

    // MARK: When

    @Test(.timeLimit(.minutes(6)))
    func itLooksAsOftenAsTheSettingsSay() async throws {
        let shelf = try await Shelf("a", basePoll: .seconds(3600))
        try shelf.move("x", to: "x1")
        try await shelf.build("a", on: "x", as: "a1")
        let watch = shelf.watch
        let watching = Task { await watch.run() }
        func pass(_ minutes: Int) async {
            for _ in 0..<minutes {
                #expect(await eventually { shelf.time.sleepers == 1 })
                shelf.time.advance(by: .seconds(60))
            }
            #expect(await eventually { shelf.time.sleepers == 1 })
        }
        await pass(4)
        #expect(shelf.asked == 0)
        await pass(1)
        #expect(await eventually { shelf.asked == 1 })
        // Jitter is a tenth at most.
        await pass(53)
        #expect(shelf.asked == 1)
        try shelf.move("x", to: "x2")
        await pass(14)
        #expect(await eventually { shelf.asked == 2 })
        #expect(try await shelf.waitUntilPending("a"))
        watching.cancel()
        await watching.value
    }
}
