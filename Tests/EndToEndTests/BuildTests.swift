import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What a rule and the log promise of a build.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct BuildTests {
        private func run(_ command: String) -> String {
            let step = "RUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo \(UUID().uuidString); \(command)\"]\n"
            return "FROM scratch\nCOPY bin /bin\nCOPY hello /hello\n" + step
        }

        @Test(.timeLimit(.minutes(6)))
        func aBuildThatTakesTooLongIsEnded() async throws {
            let bed = try await Bed(rules: "    rules: [{branch: main, tags: latest, timeout: 3s}]")
            try bed.git.addBusybox()
            let end = try await bed.service.wait(for: try await bed.push("slow", dockerfile: run("sleep 1000")).id)
            #expect(end.state == "failed")
            #expect(end.errorStage == "build")
            #expect(end.error.contains("timeout of 3s"), "\(end.error)")
            #expect(bed.processes(mentioning: "sleep 1000").isEmpty)
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func secretsOfTheSettingsAreMaskedInTheLog() async throws {
            let bed = try await Bed()
            try bed.git.addBusybox()
            let build = try await bed.push("x", dockerfile: run("echo it is \(Bed.secret) indeed"))
            #expect(try await bed.service.wait(for: build.id).state == "finished")
            let log = try await bed.service.log(of: build.id)
            #expect(log.contains("it is *** indeed"), "\(log)")
            #expect(!log.contains(Bed.secret))
            // The last lines of a failed build's output are in its error.
            let broken = try await bed.push("x", dockerfile: run("echo it is \(Bed.secret) indeed; exit 7"))
            let end = try await bed.service.wait(for: broken.id)
            #expect(end.state == "failed")
            #expect(end.error.contains("it is *** indeed"), "\(end.error)")
            #expect(!end.error.contains(Bed.secret))
            await bed.stop()
        }

        /// The older of two commits, told later, builds and keeps its own tag; the movable one stays.
        @Test(.timeLimit(.minutes(6)))
        func aTagNeverGoesBack() async throws {
            let bed = try await Bed()
            try bed.write("old")
            let old = try bed.git.commit()
            let new = try await bed.push("new")
            #expect(try await bed.service.wait(for: new.id).state == "finished")
            let late = try await bed.service.wait(
                for: try #require(try await bed.tell("refs/heads/main", old).builds.first).id)
            #expect(late.state == "finished", "\(late)")
            let tag = try #require((late.json["tags"] as? [[String: Any]])?.first)
            #expect(tag["moved"] as? Bool == false)
            #expect((tag["reason"] as? String)?.contains("build \(new.id)") == true)
            #expect(try await bed.hello("latest") == "new")
            #expect(try await bed.hello(late.commitTag ?? "") == "old")
            await bed.stop()
        }

        /// A commit tag names one image for ever: another image of the same commit gets one of its own.
        @Test(.timeLimit(.minutes(6)), arguments: [true, false])
        func aCommitTagIsNeverMoved(reused: Bool) async throws {
            let bed = try await Bed(rules: "    rules: [{branch: main, tags: latest, cache: \(reused)}]")
            let first = try await bed.service.wait(for: try await bed.push("one").id)
            let reply = try await bed.service.request(
                "POST", "/triggers/\(Bed.triggerToken)", body: Data("{\"branch\": \"main\"}".utf8))
            let second = try await bed.service.wait(for: try #require(reply.builds.first).id)
            #expect(second.state == "finished", "\(second)")
            #expect(second.commit == first.commit)
            #expect(second.commitTag == (first.commitTag ?? "") + (reused ? "" : "-b\(second.id)"))
            #expect((second.json["reused"] as? Int == first.id) == reused)
            #expect(try await bed.registry.manifest("acme/shop", first.commitTag ?? "")?.digest == first.digest)
            #expect(try await bed.registry.manifest("acme/shop", "latest")?.digest == second.digest)
            await bed.stop()
        }

        /// Without rules the default branch, which is asked for, builds `latest`.
        @Test(.timeLimit(.minutes(6)))
        func withoutRulesTheDefaultBranchBuilds() async throws {
            let bed = try await Bed()
            try bed.write("default")
            try bed.git.commit()
            try bed.git.push()
            let reply = try await bed.service.request(
                "POST", "/triggers/\(Bed.triggerToken)", body: Data("build=true".utf8))
            #expect(reply.status == 202, "\(reply.text)")
            let end = try await bed.service.wait(for: try #require(reply.builds.first).id)
            #expect(end.state == "finished", "\(end)")
            #expect(end.json["branch"] as? String == "main")
            #expect(try await bed.hello("latest") == "default")
            await bed.stop()
        }
    }
}
