import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Several that serve and several that work, as one.
    @Suite(.enabled(if: Site.isPossible, "needs PostgreSQL, buildah, docker-registry and git"))
    struct ManyMachinesTests {
        // MARK: Servers

        @Test(.timeLimit(.minutes(6)))
        func whatIsToldToTwoServersIsBuiltOnce() async throws {
            let site = try await Site()
            let (first, second) = (try await site.serve("one"), try await site.serve("two"))
            for round in 1...5 {
                let commit = try site.commit("round \(round)", to: "main")
                for server in [first, second] {
                    let forged = try await site.tell(server, "main", commit, secret: "somebody else's")
                    #expect(forged.status == 401)
                }
                let sender = "delivery-\(round)"
                async let here = site.tell(first, "main", commit, sender: sender)
                async let there = site.tell(second, "main", commit, sender: sender)
                let replies = try await [here, there]
                #expect(replies.map(\.status) == [202, 202], "\(replies.map(\.text))")
                #expect(replies.flatMap(\.builds).count == 1)
                #expect(replies.map(\.reasons).joined().contains("told before"))
            }
            for server in [first, second] {
                let builds = try await server.request("GET", "/api/v1/builds").builds
                #expect(builds.map(\.id) == [5, 4, 3, 2, 1])
                let ready = try await server.request("GET", "/readyz").text
                #expect(ready.contains("no other worker is there"), "\(ready)")
            }
            try await site.stop(first, second)
        }

        @Test(.timeLimit(.minutes(6)))
        func twoServersHaveOneLimit() async throws {
            let site = try await Site(more: "limits: {per_token: 4/h, per_address: 3/h, delay: 1ms}\n")
            let (first, second) = (try await site.serve("one"), try await site.serve("two"))
            var statuses: [Int] = []
            for server in [first, second, second, first, second, first, second] {
                statuses.append(
                    try await server.request("POST", "/triggers/\(Bed.triggerToken)", body: Data("branch=main".utf8))
                        .status)
            }
            #expect(
                statuses.prefix(4).allSatisfy { $0 < 300 } && statuses.dropFirst(4).allSatisfy { $0 == 429 },
                "\(statuses)")
            statuses = []
            for server in [first, second, second, first, second] {
                statuses.append(try await server.request("POST", "/triggers/a-guess").status)
            }
            #expect(statuses == [404, 404, 404, 429, 429])
            // Who signs is limited by neither.
            let commit = try site.commit("signed", to: "main")
            for server in [first, second] { #expect(try await site.tell(server, "main", commit).status < 300) }
            try await site.stop(first, second)
        }

        @Test(.timeLimit(.minutes(4)))
        func oneServerPollsAndAnotherTakesItOver() async throws {
            let site = try await Site(poll: "10s")
            _ = try site.commit("old", to: "main")
            let found = "found a push that nobody told of"
            let first = try await site.serve("one")
            try await first.waitUntilItSays("listening")
            // What was there at the first look is not built.
            let server = try #require(try await PostgreSQLServer.shared())
            let database = URL(fileURLWithPath: site.bed.path).lastPathComponent
            while try await server.sql("SELECT count(*) FROM sources", in: database) == "0" {}
            let second = try await site.serve("two")
            _ = try site.commit("lost", to: "main")
            try await first.waitUntilItSays(found)
            #expect(!second.log.contains(found))
            await first.kill9()
            _ = try site.commit("lost too", to: "main")
            let gone = ContinuousClock.now
            try await second.waitUntilItSays(found, deadline: 60)
            // The duty within 30 s, and what a look takes.
            #expect(ContinuousClock.now - gone < .seconds(45))
            // Left at a good end, it is taken over at once.
            let third = try await site.serve("three")
            await second.stop()
            let left = ContinuousClock.now
            _ = try site.commit("lost again", to: "main")
            try await third.waitUntilItSays(found, deadline: 60)
            #expect(ContinuousClock.now - left < .seconds(30))
            #expect(try await third.request("GET", "/api/v1/builds").builds.map(\.id) == [3, 2, 1])
            try await site.stop(third)
        }

        // MARK: Workers

        /// A step that takes its time.
        private var slow: String {
            let step = "echo \(UUID().uuidString); echo now it runs; sleep 5"
            return
                "FROM scratch\nCOPY bin /bin\nCOPY hello /hello\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"\(step)\"]\n"
        }

        @Test(.timeLimit(.minutes(4)))
        func aBuildGoesWhereItsLabelsAreAndADrainedWorkerTakesNone() async throws {
            let site = try await Site(
                rules:
                    "    rules: [{branch: red, tags: red, runs_on: colour/red}, {branch: blue, tags: blue, runs_on: [buildah, blue]}]"
            )
            try site.bed.git.addBusybox()
            let (first, second) = (try await site.serve("one"), try await site.serve("two"))
            func push(_ branch: String, _ text: String, dockerfile: String? = nil) async throws -> Int {
                let commit = try site.commit(text, to: branch, dockerfile: dockerfile)
                return try #require(try await site.tell(second, branch, commit).builds.first).id
            }
            let red = try await site.work("hall/red", "colour/red")
            while try await !site.slipway(first, "workers", "--json").contains(#""state":"there""#) {}
            // Nobody is there for this one, and everybody says so.
            let waiting = try await push("blue", "sky")
            let sentence = #"no worker that is there has the labels "#
            for text in [
                try await site.slipway(first, "status", "\(waiting)"), try await first.request("GET", "/readyz").text,
                try await second.build(waiting).json["waits"] as? String ?? "",
            ] {
                #expect(text.contains(sentence) || text.contains(#"has the label "blue""#), "\(text)")
            }
            let build = try await push("red", "rose")
            #expect(try await first.wait(for: build).state == "finished")
            #expect(try await site.bed.hello("red") == "rose")
            #expect(try await first.build(waiting).state == "pending")
            let blue = try await site.work("hall/blue", "blue")
            #expect(try await first.wait(for: waiting).state == "finished")
            #expect(red.log.contains("finished build=\(build)\n") && !red.log.contains("build=\(waiting)\n"))
            #expect(blue.log.contains("finished build=\(waiting)\n") && !blue.log.contains("build=\(build)\n"))

            // Drained by name while it builds.
            let last = try await push("red", "brick", dockerfile: slow)
            #expect(try await first.wait(for: last, ["building"]).state == "building")
            try await first.wait(for: last, log: "now it runs")
            let list = try await site.slipway(second, "workers")
            #expect(list.contains("hall/red") && list.contains("colour/red") && list.contains("hall/blue"), "\(list)")
            #expect(list.contains(" \(last) "), "\(list)")
            let drained = try await site.slipway(first, "drain", "hall/red")
            #expect(
                drained.contains("no build runs there") && drained.contains("slipway resume hall/red"), "\(drained)")
            #expect(try await first.build(last).state == "finished")
            try await red.waitUntilItSays("drained: this worker takes no builds")
            let next = try await push("red", "wine")
            #expect(
                try await second.build(next).json["waits"] as? String
                    == #"every worker with the label "colour/red" is drained"#)
            // Also in its next life, and the other goes on meanwhile.
            await red.stop()
            let again = try await site.work("hall/red", "colour/red")
            try await again.waitUntilItSays("drained: this worker takes no builds", times: 2)
            let other = try await push("blue", "sea")
            #expect(try await first.wait(for: other).state == "finished")
            #expect(try await first.build(next).state == "pending")
            #expect(try await site.slipway(first, "workers", "--json").contains(#""state":"drained""#))
            #expect(try await site.slipway(first, "resume", "hall/red").contains("hall/red takes builds"))
            #expect(try await first.wait(for: next).state == "finished")
            #expect(try await site.bed.hello("red") == "wine")
            try await site.stop(first, second, again, blue)
        }
    }
}
