import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct ManyPushesTests {
        /// Two repositories, five rules, twenty pushes at once.
        @Test(.timeLimit(.minutes(10)))
        func everyBuildEndsOnceAndTagsPointAtTheNewest() async throws {
            let bed = try await Bed(
                workers: 4,
                rules: """
                        rules:
                          - {branch: main, tags: latest}
                          - {branch: '/^release-(.+)$/', tags: ['{\\1}', stable]}
                          - {tag: '/^v(.+)$/', tags: '{\\1}'}
                    """, start: false)
            let tools = try GitProject(in: bed.path, name: "tools")
            let more = """
                  acme/tools:
                    source: \(tools.bare)
                    image: \(bed.registry.host)/acme/tools
                    webhook_secret: "\(Bed.secret)"
                    rules:
                      - {branch: main, tags: latest}
                      - {branch: main, tags: 'copy-{sourceref}', build_args: {COPY: "yes"}}

                """
            try bed.append(settings: more)
            try await bed.startService()
            // Ten pushes to acme/shop's main and five to a release branch, each on top of the last; five to acme/tools.
            var pushes: [(repository: String, ref: String, commit: String)] = []
            for n in 1...15 {
                try bed.write("shop \(n)")
                let ref = n % 3 == 0 ? "refs/heads/release-1.x" : "refs/heads/main"
                let commit = try bed.git.commit("Shop \(n)")
                try bed.git.push(ref)
                pushes.append(("acme/shop", ref, commit))
            }
            for n in 1...5 {
                try tools.write("hello", "tools \(n)")
                try tools.write("Dockerfile", "FROM scratch\nARG COPY\nCOPY hello /hello\n")
                let commit = try tools.commit("Tools \(n)")
                try tools.push("refs/heads/main")
                pushes.append(("acme/tools", "refs/heads/main", commit))
            }
            // All at once, so they come in any order.
            let replies = try await withThrowingTaskGroup(of: Service.Reply.self) { group in
                for push in pushes {
                    group.addTask { try await bed.tell(push.ref, push.commit, repository: push.repository) }
                }
                return try await group.reduce(into: [Service.Reply]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0.status == 202 })
            let ids = replies.flatMap(\.builds).map(\.id)
            #expect(ids.count == 15 + 5 * 2)
            #expect(Set(ids).count == ids.count)
            var finished = 0
            for id in ids {
                let build = try await bed.service.wait(for: id, deadline: 400)
                if build.state == "superseded" {
                    // By a build of the same branch, which came after it in Git's history if not in the queue.
                    let successor = try await bed.service.build(try #require(build.json["superseded_by"] as? Int))
                    #expect(successor.json["ref"] as? String == build.json["ref"] as? String)
                } else {
                    #expect(build.state == "finished" && build.attempt == 1, "\(build)")
                    finished += 1
                }
            }
            // Two branches with a rule each, and one with two.
            #expect(finished >= 4)
            #expect(try await bed.hello("latest") == "shop 14")
            #expect(try await bed.hello("1.x") == "shop 15")
            #expect(try await bed.hello("stable") == "shop 15")
            for tag in ["latest", "copy-main"] {
                let file = try await bed.registry.readFile("/hello", image: "acme/tools", tag: tag)
                #expect(file.map { String(decoding: $0, as: UTF8.self) } == "tools 5")
            }
            try await bed.expectNothingLeft()
            await bed.stop()
        }
    }
}
