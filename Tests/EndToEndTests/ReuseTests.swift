import Engine
import Foundation
import Model
import TestSupport
import Testing

extension EndToEnd {
    /// What did not change is not built again: the real engine, the real registry.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct ReuseTests {
        private func reused(_ build: Service.BuildView) -> Int? { build.json["reused"] as? Int }

        private func end(_ bed: Bed, _ build: Service.BuildView) async throws -> Service.BuildView {
            let end = try await bed.service.wait(for: build.id)
            #expect(end.state == "finished", "\(end)")
            return end
        }

        /// Commits what is in the work tree, pushes and tells it, and waits for all of its builds.
        private func builds(_ bed: Bed, _ message: String) async throws -> [Service.BuildView] {
            let commit = try bed.git.commit(message)
            try bed.git.push()
            var ends: [Service.BuildView] = []
            for build in try await bed.tell("refs/heads/main", commit).builds { ends.append(try await end(bed, build)) }
            return ends
        }

        private func engineRuns(_ bed: Bed, _ build: Service.BuildView) async throws -> Bool {
            try await bed.service.log(of: build.id).contains("slipway: building Dockerfile")
        }

        @Test(.timeLimit(.minutes(6)))
        func nothingThatCounts() async throws {
            let bed = try await Bed()
            try bed.git.write(".dockerignore", "notes\n")
            try bed.git.write("notes", "one")
            let first = try await end(bed, bed.push("hello"))
            #expect(try await engineRuns(bed, first))
            for change in ["an empty commit", "an ignored file"] {
                if change == "an ignored file" { try bed.git.write("notes", "two") }
                let same = try #require(try await builds(bed, change).first)
                let log = try await bed.service.log(of: same.id)
                #expect(reused(same) != nil, "\(change): \(log)")
                #expect(same.digest == first.digest)
                #expect(try await !engineRuns(bed, same))
                for tag in ["latest", try #require(same.commitTag)] {
                    #expect(try await bed.registry.manifest("acme/shop", tag)?.digest == first.digest)
                }
            }
            let other = try await end(bed, bed.push("other"))
            #expect(reused(other) == nil)
            #expect(try await bed.hello("latest") == "other")
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func rulesOfOnePushWithOneKey() async throws {
            let bed = try await Bed(
                workers: 2,
                rules: """
                        rules:
                          - {branch: main, tags: latest}
                          - {branch: main, tags: "edge"}
                    """)
            try bed.write("hello")
            let ends = try await builds(bed, "Say hello")
            #expect(ends.count == 2)
            #expect(Set(ends.map(\.digest)).count == 1)
            #expect(ends.filter { reused($0) == nil }.count == 1)
            for tag in ["latest", "edge"] { #expect(try await bed.hello(tag) == "hello") }
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func anImageThatTheRegistryLost() async throws {
            let bed = try await Bed()
            _ = try await end(bed, bed.push("hello"))
            try await bed.registry.removeManifest("acme/shop", tag: "latest")
            let again = try #require(try await builds(bed, "Nothing").first)
            #expect(reused(again) == nil)
            #expect(try await engineRuns(bed, again))
            #expect(try await bed.hello("latest") == "hello")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)), .enabled(if: BaseImage.isAvailable, "needs the Debian package busybox-static"))
        func aBaseImageThatMoved() async throws {
            let bed = try await Bed()
            _ = try await BaseImage.push(to: bed.registry.host, labels: ["base": "one"])
            let dockerfile = "FROM \(bed.registry.host)/base:1\nCOPY hello /hello\n"
            let first = try await end(bed, bed.push("hello", dockerfile: dockerfile))
            let same = try #require(try await builds(bed, "Nothing").first)
            #expect(reused(same) == first.id)
            // What the registry said is believed for a while.
            await bed.service.stop()
            try await bed.startService()
            _ = try await BaseImage.push(to: bed.registry.host, labels: ["base": "two"])
            let moved = try #require(try await builds(bed, "Nothing either").first)
            #expect(reused(moved) == nil)
            #expect(try await bed.registry.labels(image: "acme/shop", tag: "latest")["base"] == "two")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)), .enabled(if: BaseImage.isAvailable, "needs the Debian package busybox-static"))
        func aBaseImageThatHandsInstructionsOn() async throws {
            let bed = try await Bed()
            _ = try await BaseImage.push(to: bed.registry.host, triggers: ["COPY hello /handed"])
            let dockerfile = "FROM \(bed.registry.host)/base:1\n"
            _ = try await end(bed, bed.push("hello", dockerfile: dockerfile))
            let second = try #require(try await builds(bed, "Nothing").first)
            #expect(reused(second) == nil)
            let reason = try #require(second.json["reuse"] as? String)
            #expect(reason.contains("base:1 hands on \"ONBUILD COPY hello /handed\""), "\(reason)")
            await bed.stop()
        }
    }
}

/// Builders of this machine, and base images that move in the registry.
@Suite(.serialized, .dockerDaemon, .enabled(if: BaseImage.isAvailable, "needs the Debian package busybox-static"))
struct MovedBaseTests {
    /// Whether the builder asks the registry by itself or has to be told, the next build has the new content.
    @Test(arguments: EngineTests.available, ["FROM", "COPY --from"])
    func aBuilderBuildsOnWhatTheRegistryHas(_ builder: EngineTests.Builder, _ way: String) async throws {
        let server = try await RegistryServer.start()
        defer { server.stop() }
        let moving = try ImageReference("\(server.host)/moving:1")
        try await Workshop.open(builder) { shop in
            shop.write(
                "Dockerfile",
                way == "FROM"
                    ? "FROM \(moving)\nCOPY own /own\n" : "FROM \(shop.base)\nCOPY --from=\(moving) /content /content\n"
            )
            shop.write("own", "own")
            // The first time the builder has none of it, then what it was before.
            for content in ["one", "two", "three"] {
                try await server.pushImage("moving", tag: "1", files: ["content": content])
                var build = shop.build(tag: content)
                build.insecureRegistries.insert(server.host)
                try await shop.engine.refresh(moving, for: build, scratch: shop.scratch) { _ in }
                try await shop.buildAndPush(build)
                #expect(try await shop.pull(content).file("content") == content)
            }
        }
    }
}
