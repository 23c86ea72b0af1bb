import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What becomes of a build when what it needs is away for a while, or when somebody wants its end.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct AttemptsTests {
        /// A step that takes its time, with children of several kinds, and that no cache knows.
        private func slow(_ seconds: Int) -> String {
            let sleep = "/bin/busybox sleep \(seconds)"
            let command =
                "echo \(UUID().uuidString); \(sleep) & /bin/busybox setsid \(sleep) & echo now it runs; \(sleep)"
            return
                "FROM scratch\nCOPY bin /bin\nCOPY hello /hello\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"\(command)\"]\n"
        }

        private func cancel(_ build: Service.BuildView, on bed: Bed) async throws -> Service.Reply {
            try await bed.service.request("POST", "/api/v1/builds/\(build.id)/cancel")
        }

        private func expectCancelled(_ bed: Bed, _ build: Service.BuildView) async throws {
            let end = try await bed.service.wait(for: build.id)
            #expect(end.state == "cancelled", "\(end)")
            #expect(try await bed.registry.manifest("acme/shop", "latest") == nil)
        }

        // MARK: Tried again

        @Test(.timeLimit(.minutes(5)), arguments: [false, true])
        func aRegistryThatIsAwayForAWhile(killed: Bool) async throws {
            let bed = try await Bed()
            bed.registry.stop()
            let build = try await bed.push("hello")
            let waiting = try await bed.waitForRetry(of: build)
            #expect(waiting.state == "pending", "\(waiting)")
            #expect(waiting.errorKind == "system")
            #expect(waiting.errorStage == "push")
            if killed { await bed.service.kill9() }
            try await bed.registry.restart()
            if killed { try await bed.startService() }
            let end = try await bed.service.wait(for: build.id, deadline: 200)
            #expect(end.state == "finished", "\(end)")
            #expect(end.attempt > 1)
            #expect(try await bed.hello("latest") == "hello")
            let log = try await bed.service.log(of: build.id)
            #expect(log.ranges(of: "slipway: building Dockerfile").count == 1, "\(log)")
            #expect(log.contains("slipway: an earlier attempt built \(bed.image):"))
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        /// Longer than its lease, and the build takes longer still: what is left of the attempt changes nothing.
        @Test(.timeLimit(.minutes(5)))
        func aServiceThatStoodStill() async throws {
            let bed = try await Bed()
            try bed.git.addBusybox()
            let build = try await bed.push("hello", dockerfile: slow(30))
            try await bed.service.wait(for: build.id, log: "now it runs\n")
            kill(bed.service.pid, SIGSTOP)
            try await Task.sleep(for: .seconds(22))
            kill(bed.service.pid, SIGCONT)
            let end = try await bed.service.wait(for: build.id, deadline: 200)
            #expect(end.state == "finished", "\(end)")
            #expect(end.attempt == 2)
            #expect(bed.service.log.contains("attempt 1 no longer holds build \(build.id)"), "\(bed.service.log)")
            #expect(try await bed.registry.manifest("acme/shop", "latest")?.digest == end.digest)
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        // MARK: Cancelled

        @Test(.timeLimit(.minutes(6)))
        func aPendingBuildIsCancelled() async throws {
            let bed = try await Bed(workers: 0)
            let build = try await bed.push("hello")
            #expect(try await cancel(build, on: bed).status == 200)
            try await expectCancelled(bed, build)
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aStepWithChildrenIsCancelled() async throws {
            let bed = try await Bed()
            try bed.git.addBusybox()
            let build = try await bed.push("hello", dockerfile: slow(4321))
            try await bed.service.wait(for: build.id, log: "now it runs\n")
            #expect(bed.processes(mentioning: "sleep 4321").count >= 3)
            #expect(try await cancel(build, on: bed).status < 300)
            try await expectCancelled(bed, build)
            #expect(bed.processes(mentioning: "sleep 4321").isEmpty)
            let log = try await bed.service.log(of: build.id)
            #expect(log.split(separator: "\n").last?.hasPrefix("slipway: cancelled") == true, "\(log)")
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aPushIsCancelled() async throws {
            let registry = try await RegistryServer.start()
            let proxy = try TCPProxy(to: registry.port)
            defer { proxy.stop() }
            let bed = try await Bed(image: "127.0.0.1:\(proxy.port)/acme/shop", registry: registry)
            proxy.mode = .held
            let build = try await bed.push("hello")
            #expect(try await bed.service.wait(for: build.id, ["pushing"]).state == "pushing")
            #expect(try await cancel(build, on: bed).status < 300)
            try await expectCancelled(bed, build)
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        // MARK: Superseded

        @Test(.timeLimit(.minutes(6)))
        func aNewerPushTakesThePlaceOfOneThatWaits() async throws {
            let bed = try await Bed(workers: 0)
            let older = try await bed.push("one")
            let newer = try await bed.push("two")
            await bed.service.stop()
            try bed.replace("workers: 0", "workers: 1")
            try await bed.startService()
            #expect(try await bed.service.wait(for: older.id).state == "superseded")
            #expect(try await bed.service.wait(for: newer.id).state == "finished")
            #expect(try await bed.hello("latest") == "two")
            #expect(
                try await bed.service.log(of: older.id).hasSuffix("slipway: superseded by build \(newer.id)\n"))
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aNewerPushEndsTheOneThatRuns() async throws {
            let bed = try await Bed(rules: "    rules: [{branch: main, tags: latest, cancel_running: true}]")
            try bed.git.addBusybox()
            let older = try await bed.push("one", dockerfile: slow(4322))
            try await bed.service.wait(for: older.id, log: "now it runs\n")
            let newer = try await bed.push("two")
            #expect(try await bed.service.wait(for: older.id).state == "superseded")
            #expect(bed.processes(mentioning: "sleep 4322").isEmpty)
            #expect(try await bed.service.wait(for: newer.id).state == "finished")
            #expect(try await bed.hello("latest") == "two")
            await bed.stop()
        }
    }
}
