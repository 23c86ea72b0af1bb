import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Pushes that nobody tells of become images all the same.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "git")))
    struct PollTests {

        /// A commit on main, or under a tag, that nobody is told of.
        @discardableResult
        private func push(
            _ bed: Bed, _ text: String, to ref: String = "refs/heads/main", dockerfile: String? = nil,
            force: Bool = false
        ) throws -> String {
            try bed.write(text, dockerfile)
            let commit = try bed.git.commit("Say \(text)")
            try bed.git.push(ref, force: force)
            return commit
        }

        /// Waits until the poll has made a build.
        private func found(_ bed: Bed, _ build: Int) async throws {
            try await bed.service.waitUntilItSays("found a push that nobody told of repository=acme/shop")
            try await bed.service.waitUntilItSays("build=\(build)\n")
        }

        private func cause(_ build: Service.BuildView) -> String? {
            (build.json["cause"] as? [String: Any])?["kind"] as? String
        }

        @Test(.timeLimit(.minutes(6)))
        func aLostWebhookIsFound() async throws {
            let bed = try await Bed(
                rules: "    rules: [{branch: main, tags: latest}, {tag: '/.*/', tags: '{tag}'}]", poll: "10s",
                start: false)
            try push(bed, "old")
            try bed.git.push("refs/tags/v0")
            try await bed.startService()
            // Built since it is told: what was there before is not.
            let told = try await bed.push("told")
            #expect(try await bed.service.wait(for: told.id).state == "finished")
            let commit = try push(bed, "lost")
            try bed.git.push("refs/tags/v1")
            try await found(bed, 3)
            for id in [2, 3] {
                let end = try await bed.service.wait(for: id)
                #expect(end.state == "finished" && end.commit == commit && cause(end) == "poll", "\(end)")
            }
            #expect(try await bed.hello("latest") == "lost")
            #expect(try await bed.hello("v1") == "lost")
            // Told late, and not built again.
            let late = try await bed.tell("refs/heads/main", commit)
            #expect(late.builds.isEmpty && late.reasons.contains("build 2 is of this commit"), "\(late.text)")
            let deliveries = try await bed.service.request("GET", "/api/v1/deliveries").object["deliveries"]
            let kinds = (deliveries as? [[String: Any]] ?? []).compactMap { $0["kind"] as? String }
            #expect(kinds == ["webhook", "poll", "poll", "webhook"])
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func whatCameWhileTheServiceWasDownIsFoundAtItsStart() async throws {
            let bed = try await Bed(poll: "5m", start: false)
            try push(bed, "old")
            try await bed.startService()
            let told = try await bed.push("told")
            #expect(try await bed.service.wait(for: told.id).state == "finished")
            await bed.service.kill9()
            try push(bed, "first")
            let commit = try push(bed, "second")
            try await bed.startService()
            try await found(bed, 2)
            let end = try await bed.service.wait(for: 2)
            #expect(end.state == "finished" && end.commit == commit && cause(end) == "poll", "\(end)")
            #expect(try await bed.hello("latest") == "second")
            // One build of two commits; and a start without news builds nothing.
            await bed.service.stop()
            try await bed.startService()
            let next = try await bed.push("next")
            #expect(next.id == 3, "\(bed.service.log)")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func toldAndFoundAtOnceIsBuiltOnce() async throws {
            let bed = try await Bed(workers: 0, poll: "10s", start: false)
            try push(bed, "old")
            try await bed.startService()
            // Two looks at least fall between a push and its webhook, or beside them.
            let end = Date(timeIntervalSinceNow: 23)
            var pushed: [String] = []
            while Date() < end {
                pushed.append(try push(bed, "round \(pushed.count)"))
                _ = try await bed.tell("refs/heads/main", pushed[pushed.count - 1])
            }
            let builds = try await bed.service.request("GET", "/api/v1/builds?limit=500").builds
            // A page holds so many.
            #expect(builds.reversed().map(\.commit) == pushed.suffix(500))
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func whatFailedIsNotFoundAgain() async throws {
            let bed = try await Bed(poll: "10s", start: false)
            try push(bed, "old")
            try await bed.startService()
            let told = try await bed.push("broken", dockerfile: "FROM scratch\nCOPY gone /\n")
            #expect(try await bed.service.wait(for: told.id).state == "failed")
            try push(bed, "mended")
            try await found(bed, 2)
            let end = try await bed.service.wait(for: 2)
            #expect(end.state == "finished" && cause(end) == "poll", "\(end)")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aSourceMayGoAndComeBack() async throws {
            let root = try TemporaryDirectory()
            let git = try GitProject(in: root.path)
            var server = try await GitDaemon.start(root: root.path)
            let port = server.port
            func say(_ text: String) throws -> String {
                try git.write("hello", text)
                try git.write("Dockerfile", "FROM scratch\nCOPY hello /hello\n")
                let commit = try git.commit("Say \(text)")
                try git.push()
                return commit
            }
            _ = try say("old")
            let bed = try await Bed(source: server.url(for: "shop.git"), poll: "10s")
            let first = try say("before")
            try await found(bed, 1)
            let end = try await bed.service.wait(for: 1)
            #expect(end.state == "finished" && end.commit == first, "\(end)")
            server.stop()
            let second = try say("after")
            let service = bed.service!
            try await service.waitUntilItSays("can't look for pushes")
            server = try await GitDaemon.start(root: root.path, port: port)
            try await found(bed, 2)
            let again = try await bed.service.wait(for: 2)
            #expect(again.state == "finished" && again.commit == second && cause(again) == "poll", "\(again)")
            #expect(service.log.contains("is looked at for pushes again"))
            #expect(service.log.components(separatedBy: "can't look for pushes").count == 2, "\(service.log)")
            server.stop()
            await bed.stop()
        }
    }
}
