import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Who is turned away is told so and when to come again; what was accepted is built, whatever happens.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "git")))
    struct LimitsTests {
        private static let token = "0123456789abcdef-tools"

        private func expectTurnedAway(_ answer: HTTPClient.Answer, _ reason: String) throws {
            #expect(answer.status == 429, "\(answer.text)")
            #expect(answer.header("Content-Type") == "application/problem+json")
            #expect(try #require(answer.header("Retry-After").flatMap { Int($0) }) > 0)
            let problem = try #require(try JSONSerialization.jsonObject(with: answer.body) as? [String: Any])
            #expect(problem["status"] as? Int == 429)
            #expect((problem["detail"] as? String)?.contains(reason) == true, "\(answer.text)")
        }

        /// Three commits of one repository, each on a branch of its own.
        private func commits(_ git: GitProject) throws -> [Moved] {
            try ["one", "two", "three"].map { name in
                try git.write("hello", name)
                try git.write("Dockerfile", "FROM scratch\nCOPY hello /hello\n")
                let commit = try git.commit("Say \(name)")
                try git.push("refs/heads/\(name)")
                return Moved(ref: "refs/heads/\(name)", commit: commit, object: commit)
            }
        }

        @Test(.timeLimit(.minutes(6)))
        func whatWasAcceptedIsBuiltOnce() async throws {
            let bed = try await Bed(
                workers: 0, rules: "    rules: [{branch: '/.*/', tags: '{branch}'}]", start: false)
            // By the hour, so that a slow machine gives no trigger back within the test.
            try bed.append(
                settings: """
                      acme/tools:
                        source: \(bed.git.bare)
                        image: \(bed.registry.host)/acme/tools
                        trigger_tokens: ["\(Self.token)"]
                        rules: [{branch: '/.*/', tags: '{branch}'}]
                    limits: {pending_per_repository: 2, per_token: 3/h}
                    """)
            try await bed.startService()
            let moved = try commits(bed.git)
            let client = HTTPClient(port: UInt16(try #require(URL(string: bed.service.url)?.port)))
            func push(_ moved: Moved) async throws -> HTTPClient.Answer {
                let sent = SendingHost.gitHub("push", SendingHost.push([moved]))
                return try await client.request("POST", "/webhooks/acme/shop", headers: sent.headers, body: sent.body)
            }
            func trigger(_ branch: String) async throws -> HTTPClient.Answer {
                try await client.request("POST", "/triggers/\(Self.token)", body: Data("branch=\(branch)".utf8))
            }

            for moved in moved.prefix(2) { #expect(try await push(moved).status == 202) }
            try expectTurnedAway(try await push(moved[2]), "acme/shop")
            // Another repository's builds have room of their own; its token has its own limit.
            for branch in ["one", "two", "one"] { #expect(try await trigger(branch).status == 202) }
            try expectTurnedAway(try await trigger("two"), "the trigger token")
            let ids = try await bed.service.request("GET", "/api/v1/builds").builds.map(\.id)
            #expect(ids.count == 4)
            #expect(bed.service.log.contains("turned away"))

            await bed.service.kill9()
            try bed.replace("workers: 0", "workers: 2")
            try await bed.startService()
            for id in ids {
                let end = try await bed.service.wait(for: id)
                #expect(end.state == "finished" && end.attempt == 1, "\(end)")
            }
            // Now there is room for what was turned away.
            let late = try await bed.post(SendingHost.gitHub("push", SendingHost.push([moved[2]])))
            #expect(try await bed.service.wait(for: try #require(late.builds.first).id).state == "finished")
            let builds = try await bed.service.request("GET", "/api/v1/builds").builds
            #expect(builds.count == 5)
            for (image, names) in [("acme/shop", ["one", "two", "three"]), ("acme/tools", ["one", "two"])] {
                for name in names {
                    let labels = try await bed.registry.labels(image: image, tag: name)
                    let commit = try #require(moved.first { $0.name == name }).commit
                    #expect(labels["org.opencontainers.image.revision"] == commit, "\(image) \(name)")
                }
                // Its commits' tags and those of the rule; nothing was pushed twice.
                #expect(try await bed.registry.tags(image).count == names.count * 2)
            }
            try await bed.expectNothingLeft()
            await bed.stop()
        }
    }
}
