import Foundation
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// kill -9 of the service in each state of a build: it ends once, and nothing is left behind.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct CrashTests {
        /// A step that takes its time, and that no cache knows.
        private func slow(_ seconds: Int = 3) -> String {
            let command = "echo \(UUID().uuidString); echo now it runs; sleep \(seconds)"
            return
                "FROM scratch\nCOPY bin /bin\nCOPY hello /hello\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"\(command)\"]\n"
        }

        /// What is true of every one of them in the end.
        private func expectFinishedOnce(_ bed: Bed, _ id: Int, attempt: Int) async throws {
            let build = try await bed.service.wait(for: id)
            #expect(build.state == "finished", "\(build)")
            #expect(build.attempt == attempt)
            #expect(try await bed.hello("latest") == "hello")
            #expect(try await bed.registry.manifest("acme/shop", "latest")?.digest == build.digest)
            #expect(try await bed.service.request("GET", "/api/v1/builds").builds.count == 1)
            // The second life ends cleanly, and then there is nothing of either.
            await bed.service.stop()
            try await bed.expectNothingLeft()
        }

        @Test(.timeLimit(.minutes(6)))
        func pending() async throws {
            let bed = try await Bed(workers: 0)
            let build = try await bed.push("hello")
            #expect(build.state == "pending")
            await bed.service.kill9()
            try bed.replace("workers: 0", "workers: 1")
            try await bed.startService()
            try await expectFinishedOnce(bed, build.id, attempt: 1)
            await bed.stop()
        }

        /// In the middle of many webhooks: whatever was answered with 202 is there afterwards, once.
        @Test(.timeLimit(.minutes(6)))
        func accepting() async throws {
            let bed = try await Bed(workers: 0)
            let service = try #require(bed.service)
            let answered = try await withThrowingTaskGroup(of: [String].self) { senders in
                for sender in 0..<16 {
                    senders.addTask {
                        var accepted: [String] = []
                        for number in 0..<1000 {
                            let commit = Crypto.sha256(Data("\(sender) \(number)".utf8)).hex.prefix(40)
                            // Once it is killed nothing is answered.
                            guard let reply = try? await bed.tell("refs/heads/main", String(commit)) else { break }
                            guard reply.status == 202 else { throw Service.NotStarted(description: reply.text) }
                            accepted.append(String(commit))
                            if sender == 0 && number == 20 { await service.kill9() }
                        }
                        return accepted
                    }
                }
                return try await senders.reduce(into: [String]()) { $0 += $1 }
            }
            #expect(answered.count >= 21 && answered.count < 16000)
            try await bed.startService()
            var kept: [String] = []
            var before: Int?
            repeat {
                let page = try await bed.service.request(
                    "GET", "/api/v1/builds?limit=500" + (before.map { "&before=\($0)" } ?? ""))
                kept += page.builds.compactMap(\.commit)
                before = page.object["next"] as? Int
            } while before != nil
            #expect(Set(kept).count == kept.count)
            #expect(Set(answered).subtracting(kept).isEmpty)
            // Each sender may have had one accepted that it did not hear of.
            #expect(kept.count <= answered.count + 16)
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func building() async throws {
            let bed = try await Bed()
            try bed.git.addBusybox()
            let build = try await bed.push("hello", dockerfile: slow())
            try await bed.service.wait(for: build.id, log: "now it runs\n")
            #expect(try await bed.service.build(build.id).state == "building")
            await bed.service.kill9()
            try await bed.startService()
            try await expectFinishedOnce(bed, build.id, attempt: 2)
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func pushing() async throws {
            let registry = try await RegistryServer.start()
            let proxy = try TCPProxy(to: registry.port)
            defer { proxy.stop() }
            let bed = try await Bed(image: "127.0.0.1:\(proxy.port)/acme/shop", registry: registry)
            proxy.mode = .held
            let build = try await bed.push("hello")
            #expect(try await bed.service.wait(for: build.id, ["pushing"]).state == "pushing")
            await bed.service.kill9()
            proxy.mode = .open
            try await bed.startService()
            try await expectFinishedOnce(bed, build.id, attempt: 2)
            await bed.stop()
        }

        /// SIGTERM is no crash: what doesn't end in the grace is pending again, without an attempt used up.
        @Test(.timeLimit(.minutes(6)))
        func shutdownGivesBack() async throws {
            let bed = try await Bed(grace: "0s")
            try bed.git.addBusybox()
            let build = try await bed.push("hello", dockerfile: slow(100))
            try await bed.service.wait(for: build.id, log: "now it runs\n")
            #expect(await bed.service.stop() == 0)
            try await bed.expectNothingLeft()
            try bed.replace("workers: 2", "workers: 0")
            try await bed.startService()
            let state = try await bed.service.build(build.id).state
            #expect(state == "pending", "\(bed.service.log)")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func shutdownWaitsForTheGrace() async throws {
            let bed = try await Bed(grace: "60s")
            try bed.git.addBusybox()
            let build = try await bed.push("hello", dockerfile: slow())
            try await bed.service.wait(for: build.id, log: "now it runs\n")
            #expect(await bed.service.stop() == 0)
            #expect(try await bed.hello("latest") == "hello")
            try await bed.startService()
            #expect(try await bed.service.build(build.id).state == "finished")
            await bed.stop()
        }
    }
}
