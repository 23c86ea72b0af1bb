import Synchronization
import TestSupport
import Testing

@testable import Worker

struct TurnsTests {
    @Test func oneAtATimeUsesAName() async throws {
        let turns = Turns()
        let using = Uses()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await turns.use("name \(number % 2)") {
                        if number % 2 == 0 {
                            using.begin()
                            await Task.yield()
                            using.end()
                        }
                        if number % 5 == 0 { throw CancellationError() }
                    }
                }
            }
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
        #expect(using.most == 1)
        #expect(using.ended == 100)
    }

    /// On two branches at once: both begin under the commit's own name, which is the first one's.
    @Test func twoBuildsOfOneCommitPushWhatEachBuilt() async throws {
        let shop = try await Shop(workers: 2)
        let (steps, second) = (Steps(), Signal())
        shop.engine.does { step, count in
            steps.add(step)
            if step == .build, count == 2 { second.fire() }
            // Time for the other to build between this one's two steps, if it may.
            if step == .build, count == 1 { _ = await second.wait(.seconds(1)) }
        }
        let commit = try shop.commit("a")
        try shop.git.push("refs/heads/release")
        let builds = [try await shop.tell(commit), try await shop.tell(commit, on: "refs/heads/release")]
        let ends = try await shop.work {
            try await [shop.wait(for: builds[0]) { $0.state.isEnd }, shop.wait(for: builds[1]) { $0.state.isEnd }]
        }
        #expect(ends.map(\.state) == [.finished, .finished])
        #expect(Set(ends.compactMap(\.commitTag)).count == 2)
        #expect(steps.all == [.build, .push, .build, .build, .push])
    }

    /// Its own name may be what a rule makes of the commit.
    @Test func aBuildWhoseOwnNameIsTakenGetsAnother() async throws {
        let shop = try await Shop()
        let commit = try shop.commit("a")
        for branch in ["b", "c"] { try shop.git.push("refs/heads/\(branch)") }
        let builds = [
            try await shop.tell(commit, commitTag: "sha-{sha12}-b3"),
            try await shop.tell(commit, on: "refs/heads/b"), try await shop.tell(commit, on: "refs/heads/c"),
        ]
        let last = try await shop.end(of: builds[2])
        let name = "sha-\(commit.prefix(12))"
        #expect(last.state == .finished && last.commitTag?.text == "\(name)-b3-b3", "\(last)")
        var others: [String?] = []
        for build in builds.dropLast() { others.append(try await shop.store.build(build.id)?.commitTag?.text) }
        #expect(others == ["\(name)-b3", name])
    }

    /// What an engine that was stopped in the middle of its push had sent may arrive all the same.
    @Test(arguments: [false, true])
    func theCommitTagOfABuildThatWasStoppedIsFreeWhereItNeverArrived(arrived: Bool) async throws {
        let isThere = Flag()
        let shop = try await Shop { request in
            request.method == "GET" && !isThere.isUp ? .answer(404) : nil
        }
        let pushing = Signal()
        shop.engine.does { step, count in
            guard step == .push else { return }
            if count == 2 { return isThere.raise() }
            if arrived { isThere.raise() }
            pushing.fire()
            try await Task.sleep(for: .seconds(120))
        }
        let commit = try shop.commit("a")
        try shop.git.push("refs/heads/release")
        let builds = [try await shop.tell(commit), try await shop.tell(commit, on: "refs/heads/release")]
        let last = try await shop.work {
            #expect(await pushing.wait())
            _ = try await shop.store.cancel(builds[0].id, reason: "somebody asked for it")
            return try await shop.wait(for: builds[1]) { $0.state.isEnd }
        }
        #expect(try await shop.store.build(builds[0].id)?.state == .cancelled)
        let name = "sha-\(commit.prefix(12))"
        #expect(last.state == .finished && last.commitTag?.text == (arrived ? "\(name)-b2" : name), "\(last)")
    }

    @Test func whoIsCancelledWaitsNoMoreAndKeepsNobody() async throws {
        let turns = Turns()
        let (inside, leave) = (Signal(), Signal())
        let first = Task {
            try await turns.use("name") {
                inside.fire()
                _ = await leave.wait()
            }
        }
        #expect(await inside.wait())
        let second = Task { try await turns.use("name") {} }
        let third = Task { try await turns.use("name") { true } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        leave.fire()
        try await first.value
        #expect(try await third.value)
    }
}

/// How many are at it at once.
private final class Uses: Sendable {
    private let counts = Mutex((now: 0, most: 0, ended: 0))

    var most: Int { counts.withLock { $0.most } }
    var ended: Int { counts.withLock { $0.ended } }

    func begin() {
        counts.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
    }

    func end() {
        counts.withLock {
            $0.now -= 1
            $0.ended += 1
        }
    }
}

/// What an engine did, in order.
private final class Steps: Sendable {
    private let steps = Mutex<[CountingEngine.Step]>([])

    var all: [CountingEngine.Step] { steps.withLock(\.self) }

    func add(_ step: CountingEngine.Step) { steps.withLock { $0.append(step) } }
}
