import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The same push told twice builds once; who wants it again has to say so.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "git")))
    struct ToldTwiceTests {
        /// A commit on main, pushed.
        private func moved(_ bed: Bed, _ text: String, dockerfile: String? = nil) throws -> Moved {
            try bed.write(text, dockerfile)
            let commit = try bed.git.commit("Say \(text)")
            try bed.git.push()
            return Moved(ref: "refs/heads/main", commit: commit, object: commit)
        }

        private func push(_ moved: Moved, delivery: String = UUID().uuidString) -> SentWebhook {
            SendingHost.gitHub("push", SendingHost.push([moved]), delivery: delivery)
        }

        /// Sends what makes no build any more.
        private func expectKnown(_ bed: Bed, _ sent: SentWebhook, _ reason: String) async throws {
            let reply = try await bed.post(sent)
            #expect(reply.status == 202 && reply.builds.isEmpty, "\(reply.text)")
            #expect(reply.reasons.contains(reason), "\(reply.text)")
        }

        private func count(_ bed: Bed) async throws -> Int {
            try await bed.service.request("GET", "/api/v1/builds").builds.count
        }

        @Test(.timeLimit(.minutes(6)))
        func aPushIsBuiltOnce() async throws {
            let bed = try await Bed()
            let moved = try moved(bed, "once")
            // GitHub tells of a new branch by two events.
            let created = SendingHost.gitHub("create", SendingHost.created(moved))
            #expect(try await bed.post(created).status == 200)
            // Three times at once, as after a time-out.
            let replies = try await withThrowingTaskGroup(of: Service.Reply.self) { group in
                for _ in 1...3 { group.addTask { try await bed.post(push(moved, delivery: "1")) } }
                return try await group.reduce(into: [Service.Reply]()) { $0.append($1) }
            }
            #expect(replies.map(\.status) == [202, 202, 202])
            #expect(replies.flatMap(\.builds).map(\.id) == [1])
            #expect(replies.count { $0.reasons.contains("this delivery was told before: it made build 1") } == 2)
            try await expectKnown(bed, push(moved, delivery: "2"), "build 1 is of this commit and rule already")
            #expect(try await bed.post(created).builds.isEmpty)
            let end = try await bed.service.wait(for: 1)
            #expect(end.state == "finished", "\(end)")
            try await expectKnown(
                bed, push(moved, delivery: "1"), "this delivery was told before: it made build 1 (finished)")
            try await expectKnown(
                bed, push(moved, delivery: "3"), "build 1 is of this commit and rule already (finished)")
            #expect(try await count(bed) == 1)
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func giteasCreateComesFirst() async throws {
            let bed = try await Bed(rules: "    rules: [{tag: '/.*/', tags: '{tag}'}]")
            _ = try moved(bed, "tagged")
            try bed.git.git("tag", "-a", "v1", "-m", "Annotated")
            try bed.git.git("push", "-q", "origin", "v1")
            let tag = Moved(
                ref: "refs/tags/v1", commit: try bed.git.git("rev-parse", "HEAD"),
                object: try bed.git.git("rev-parse", "refs/tags/v1"))
            let created = try await bed.post(SendingHost.gitea("create", SendingHost.created(tag)))
            #expect(created.status == 200 && created.builds.isEmpty, "\(created.text)")
            let pushed = try await bed.post(SendingHost.gitea("push", SendingHost.push([tag])))
            let end = try await bed.service.wait(for: try #require(pushed.builds.first).id)
            #expect(end.state == "finished" && end.commit == tag.commit, "\(end)")
            #expect(try await bed.hello("v1") == "tagged")
            #expect(try await count(bed) == 1)
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func whatFailedIsBuiltAgainOnlyWhereItIsAsked() async throws {
            let bed = try await Bed()
            let broken = try moved(bed, "broken", dockerfile: "FROM scratch\nCOPY gone /\n")
            let failed = try #require(try await bed.post(push(broken, delivery: "1")).builds.first)
            #expect(try await bed.service.wait(for: failed.id).state == "failed")
            try await expectKnown(
                bed, push(broken, delivery: "1"), "made build 1 (failed); `slipway retry 1` builds it again")
            let other = try #require(try await bed.post(push(broken, delivery: "2")).builds.first)
            #expect(try await bed.service.wait(for: other.id).state == "failed")
            #expect(try await count(bed) == 2)
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func asked() async throws {
            let bed = try await Bed()
            let moved = try moved(bed, "again")
            let first = try #require(try await bed.post(push(moved)).builds.first)
            #expect(try await bed.service.wait(for: first.id).state == "finished")
            func trigger(_ more: String) async throws -> Service.Reply {
                let body = #"{"commit": "\#(moved.commit)", "source_type": "Branch", "source_name": "main"\#(more)}"#
                return try await bed.service.request(
                    "POST", "/triggers/\(Bed.triggerToken)", body: Data(body.utf8))
            }
            let known = try await trigger("")
            #expect(known.status == 202 && known.builds.isEmpty, "\(known.text)")
            #expect(known.reasons.contains("build 1 is of this commit and rule already (finished)"), "\(known.text)")
            let forced = try #require(try await trigger(#", "force": true"#).builds.first)
            #expect(try await bed.service.wait(for: forced.id).state == "finished")
            let json = try await Command.run(
                Service.program, ["retry", "\(first.id)", "--wait", "--json", "--url", bed.service.url])
            let retried = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(retried["state"] as? String == "finished" && retried["commit"] as? String == moved.commit)
            #expect(Set([first.id, forced.id, retried["id"] as? Int ?? 0]).count == 3)
            #expect(try await count(bed) == 3)
            await bed.stop()
        }
    }
}
