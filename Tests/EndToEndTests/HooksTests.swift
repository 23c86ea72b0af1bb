import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The two shipped hooks, in real repositories with odd names.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "curl", "openssl")))
    struct HooksTests {
        /// The top folder of the project.
        private static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent().path

        private func install(_ hook: String, in gitFolder: String, for bed: Bed, repository: String = "acme/shop")
            throws
        {
            let target = "\(gitFolder)/hooks/\(hook)"
            try? FileManager.default.removeItem(atPath: target)
            try FileManager.default.createDirectory(atPath: "\(gitFolder)/hooks", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(Self.project)/hooks/\(hook)", toPath: target)
            for (key, value) in [("url", bed.service.url), ("repository", repository), ("secret", Bed.secret)] {
                try GitProject.git(["config", "slipway.\(key)", value], in: gitFolder)
            }
        }

        @Test(.timeLimit(.minutes(6)))
        func aPushBuildsEveryBranchAndTag() async throws {
            let bed = try await Bed(
                rules: """
                        rules:
                          - {branch: '/.*/', tags: '{sourceref}'}
                          - {tag: '/^v/', tags: '{sourceref}'}
                    """)
            try install("post-receive", in: bed.git.bare, for: bed)
            try bed.write("hooked")
            try bed.git.commit("Quotes \" and \\ and 'é'\n\nA body\twith a tab")
            let odd = "it's-a/\"test\"-é"
            try bed.git.git("tag", "-a", "v1.0", "-m", "Annotated")
            try bed.git.git("tag", "not-built")
            let said = try bed.git.git(
                "push", "origin", "HEAD:refs/heads/main", "HEAD:refs/heads/\(odd)", "v1.0", "not-built")
            // Each ref has its line in the pusher's terminal.
            #expect(said.contains("slipway: main -> build"), "\(said)")
            #expect(said.contains("slipway: v1.0 -> build"), "\(said)")
            #expect(said.contains("slipway: not-built: nothing to build"), "\(said)")
            let builds = try await bed.service.request("GET", "/api/v1/builds").builds
            #expect(
                Set(builds.compactMap { $0.json["ref"] as? String }) == [
                    "refs/heads/main", "refs/heads/\(odd)", "refs/tags/v1.0",
                ])
            for build in builds {
                let end = try await bed.service.wait(for: build.id)
                #expect(end.state == "finished", "\(end)")
                #expect(end.json["message"] as? String == "Quotes \" and \\ and 'é'\n\nA body\twith a tab")
                #expect(end.commit == (try bed.git.git("rev-parse", "HEAD")))
            }
            #expect(try await bed.hello("v1.0") == "hooked")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aPushNeverFailsForIt() async throws {
            let bed = try await Bed(workers: 0)
            try install("post-receive", in: bed.git.bare, for: bed)
            await bed.service.stop()
            try bed.write("x")
            try bed.git.commit()
            let down = try bed.git.push()
            #expect(down.contains("slipway: "), "\(down)")
            #expect(down.contains("the push itself is fine"), "\(down)")
            try await bed.startService()
            try GitProject.git(["config", "slipway.url", bed.service.url], in: bed.git.bare)
            try GitProject.git(["config", "slipway.secret", "wrong"], in: bed.git.bare)
            try bed.git.commit()
            let refused = try bed.git.push()
            #expect(refused.contains("signature"), "\(refused)")
            #expect(try await bed.service.request("GET", "/api/v1/builds").builds.isEmpty)
            await bed.stop()
        }

        /// The one-person set-up: commit, and the image under the short commit id is in the registry.
        @Test(.timeLimit(.minutes(6)))
        func aCommitBecomesAnImage() async throws {
            let folder = try TemporaryDirectory()
            let odd = try GitProject(in: folder.path, name: "a \"work\" tree's é")
            let bed = try await Bed(
                source: "'" + odd.tree.replacing("'", with: "''") + "'",
                rules: """
                        rules:
                          - {branch: '/.*/', tags: '{sha7}'}
                    """)
            try install("post-commit", in: odd.tree + "/.git", for: bed)
            try odd.write("hello", "committed")
            try odd.write("Dockerfile", "FROM scratch\nCOPY hello /hello\n")
            try odd.git("add", "-A")
            let said = try odd.git("commit", "-m", "First")
            #expect(said.contains("-> build 1"), "\(said)")
            #expect(try await bed.service.wait(for: 1).state == "finished")
            let short = String(try odd.git("rev-parse", "HEAD").prefix(7))
            #expect(try await bed.hello(short) == "committed")
            await bed.stop()
        }
    }
}
