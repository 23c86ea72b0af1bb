import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Every Git host's webhooks, told apart by what they are, become images of the right commits.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "git")))
    struct GitHostsTests {
        /// A branch, an annotated tag, and another of each; every one of a commit of its own.
        private func moved(_ git: GitProject) throws -> [Moved] {
            try ["refs/heads/main", "refs/tags/v1.0", "refs/heads/feature/x", "refs/tags/v2.0"].map { ref in
                try git.write("hello", ref)
                try git.write("Dockerfile", "FROM scratch\nCOPY hello /hello\n")
                let commit = try git.commit("Say \(ref)")
                guard ref.hasPrefix("refs/tags/") else {
                    try git.push(ref)
                    return Moved(ref: ref, commit: commit, object: commit)
                }
                let name = String(ref.dropFirst("refs/tags/".count))
                try git.git("tag", "-a", name, "-m", "Annotated")
                try git.git("push", "-q", "origin", name)
                return Moved(ref: ref, commit: commit, object: try git.git("rev-parse", ref))
            }
        }

        @Test(.timeLimit(.minutes(5)))
        func everyHostsPushesBecomeImages() async throws {
            let bed = try await Bed(workers: 4, start: false)
            let hosts = SendingHost.all
            try bed.append(
                settings: hosts.map { $0.settings(source: bed.git.bare, registry: bed.registry.host) }.joined())
            try await bed.startService()
            let moved = try moved(bed.git)
            #expect(moved[1].object != moved[1].commit, "the tag is annotated")

            var told: [(host: SendingHost, build: Service.BuildView, moved: Moved)] = []
            for host in hosts {
                // One by one, and then two in one request where the host tells so, with a deletion between them.
                let several =
                    host.tellsSeveral ? [[moved[2], SendingHost.gone[0], moved[3]]] : [[moved[2]], [moved[3]]]
                for batch in [[moved[0]], [moved[1]]] + several {
                    let reply = try await bed.post(host.push(batch), to: "/webhooks/acme/\(host.name)")
                    let lasting = batch.filter { $0.object != SentWebhook.zeros }
                    #expect(reply.status == 202, "\(host.name): \(reply.text)")
                    #expect(reply.builds.count == lasting.count, "\(host.name): \(reply.text)")
                    #expect(reply.reasons.contains("was deleted") == (batch.count > 1), "\(host.name): \(reply.text)")
                    told += zip(reply.builds, lasting).map { (host, $0, $1) }
                }
            }
            #expect(told.count == hosts.count * 4)
            for (host, build, moved) in told {
                let end = try await bed.service.wait(for: build.id)
                #expect(end.state == "finished", "\(host.name) \(moved.ref): \(end)")
                #expect(end.commit == moved.commit, "\(host.name) \(moved.ref)")
                #expect((end.json["cause"] as? [String: Any])?["host"] as? String == host.host)
                let tag = moved.name.replacing("/", with: "-")
                let labels = try await bed.registry.labels(image: "acme/\(host.name)", tag: tag)
                #expect(labels["org.opencontainers.image.revision"] == moved.commit, "\(host.name) \(moved.ref)")
            }
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func whatBuildsNothingIsAnsweredWithTheReason() async throws {
            let bed = try await Bed(workers: 0, start: false)
            try bed.append(settings: "limits: {delay: 0ms}\n")
            try bed.replace(
                "repositories:\n",
                "repositories:\n"
                    + SendingHost.all.map { $0.settings(source: bed.git.bare, registry: bed.registry.host) }.joined())
            try await bed.startService()
            for host in SendingHost.all {
                for (sent, reason) in host.others {
                    let reply = try await bed.post(sent, to: "/webhooks/acme/\(host.name)")
                    #expect(reply.status == 200, "\(host.name): \(reply.text)")
                    #expect(reply.builds.isEmpty && reply.reasons.contains(reason), "\(host.name): \(reply.text)")
                    // The proof is asked for all the same.
                    var changed = sent
                    changed.body.append(UInt8(ascii: " "))
                    changed.headers["X-Gitlab-Token"] = sent.headers["X-Gitlab-Token"].map { $0 + " " }
                    changed.headers["Authorization"] = sent.headers["Authorization"].map { _ in "Basic aG9vazp4" }
                    let refused = try await bed.post(changed, to: "/webhooks/acme/\(host.name)")
                    #expect(refused.status == 401, "\(host.name): \(refused.text)")
                }
            }
            #expect(try await bed.service.request("GET", "/api/v1/builds").builds.isEmpty)
            await bed.stop()
        }
    }
}
