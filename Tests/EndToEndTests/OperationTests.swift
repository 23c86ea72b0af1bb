import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What an operator does to a service that runs, with the program that people use.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct OperationTests {
        /// Each of another commit: what is told twice is built once.
        private func commit(_ number: Int) -> String { String(format: "%040x", number) }

        @Test(.timeLimit(.minutes(6)))
        func aPauseOutlivesTheService() async throws {
            let bed = try await Bed()
            let said = try await bed.slipway("pause", "--reason", "a new disk")
            #expect(said.contains("builds wait: paused since") && said.contains(": a new disk"), "\(said)")
            // What comes in is taken, and waits.
            let build = try await bed.push("one")
            await bed.service.kill9()
            try await bed.startService()
            let late = try await bed.push("two", to: "refs/heads/main")
            #expect(try await bed.service.build(build.id).state == "pending")
            let ready = try await bed.service.request("GET", "/readyz")
            #expect(ready.status == 200 && ready.text.contains("a new disk"), "\(ready.text)")

            let resumed = try await bed.slipway("resume", "--json")
            #expect(resumed.contains(#""paused":null"#), "\(resumed)")
            #expect(try await bed.service.wait(for: late.id).state == "finished")
            #expect(try await bed.service.wait(for: build.id).isEnd)
            #expect(try await bed.hello("latest") == "two")
            #expect(try await bed.service.request("GET", "/readyz").text == "ready\n")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func drainWaitsForWhatRuns() async throws {
            let registry = try await RegistryServer.start()
            let proxy = try TCPProxy(to: registry.port)
            defer { proxy.stop() }
            let bed = try await Bed(image: "127.0.0.1:\(proxy.port)/acme/shop", registry: registry)
            // It runs until the registry may answer.
            proxy.mode = .held
            let build = try await bed.push("one")
            #expect(try await bed.service.wait(for: build.id, ["pushing"]).state == "pushing")
            let late = try await bed.refusal(2, "drain", "--timeout", "1s")
            #expect(late.contains("waiting for build 1 (acme/shop, pushing)"), "\(late)")
            #expect(late.contains("still running after 1 s: build 1") && late.contains("slipway resume"), "\(late)")

            let next = try await bed.push("two")
            async let drained = bed.slipway("drain")
            proxy.mode = .open
            #expect(try await drained.contains("no build runs; builds stay paused"))
            #expect(try await bed.service.wait(for: build.id).state == "finished")
            #expect(try await bed.service.build(next.id).state == "pending")
            _ = try await bed.slipway("resume")
            #expect(try await bed.service.wait(for: next.id).state == "finished")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func cancelOfWhatIsPending() async throws {
            let bed = try await Bed(workers: 0)
            _ = try await bed.tell("refs/heads/main", commit(1))
            let reason = "wrong\u{1b}]0;owned\u{7} branch"
            let said = try await bed.slipway("cancel", "1", "--reason", reason, "--wait")
            #expect(said.contains("build 1  cancelled") && said.contains("cancelled: wrong branch"), "\(said)")
            #expect(try await bed.slipway("status", "1").contains("cancelled: wrong branch"))
            #expect(try await bed.slipway("status").contains("cancelled: wrong branch"))
            let again = try await bed.refusal(2, "cancel", "1")
            #expect(again.contains("build 1 had ended before: it is cancelled"), "\(again)")
            #expect(try await bed.refusal(2, "cancel", "7").contains("there is no build"))
            #expect(try await bed.refusal(1, "cancel", "x").contains("not the number"))
            #expect(try await bed.refusal(1, "drain", "--timeout", "soon").contains("1h30m"))
            await bed.stop()
        }

        /// A copy that is made while pushes come in holds every push that was answered before; it is served like the
        /// database that it was made of.
        @Test(.enabled(if: !Machine.isOnPostgreSQL), .timeLimit(.minutes(6)))
        func backupAndRestore() async throws {
            let bed = try await Bed(workers: 0)
            let file = bed.path + "/copy.sqlite"
            func tell(_ numbers: ClosedRange<Int>) async throws {
                for number in numbers { #expect(try await bed.tell("refs/heads/main", commit(number)).status == 202) }
            }
            try await tell(1...20)
            async let more: Void = tell(21...120)
            let said = try await bed.slipway("backup", file, "--config", bed.config)
            try await more
            let count = try #require(said.split(separator: " ").last.flatMap { Int($0) }, "\(said)")
            #expect((20...120).contains(count) && said.contains("bytes"), "\(said)")
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            let refused = try await bed.refusal(2, "backup", file, "--config", bed.config)
            #expect(refused.contains("is there already"), "\(refused)")

            // A day later the disk is gone.
            await bed.service.kill9()
            try restore(file, in: bed)
            try await bed.startService()
            let list = try await bed.service.request("GET", "/api/v1/builds?limit=500").builds
            #expect(list.map(\.id) == Array((1...count).reversed()))
            #expect(Set(list.compactMap(\.commit)) == Set((1...count).map(commit)))
            // It goes on from there.
            let next = try await bed.tell("refs/heads/main", commit(500))
            #expect(next.builds.first?.id == count + 1)

            // Also without a service, after its orderly end and after a crash.
            await bed.service.stop()
            let still = try await bed.slipway("backup", bed.path + "/still.sqlite", "--config", bed.config)
            #expect(still.hasSuffix("builds \(count + 1)"), "\(still)")
            try await bed.startService()
            _ = try await bed.tell("refs/heads/main", commit(501))
            await bed.service.kill9()
            let crashed = try await bed.slipway("backup", bed.path + "/crashed.sqlite", "--config", bed.config)
            #expect(crashed.hasSuffix("builds \(count + 2)"), "\(crashed)")
            try await bed.startService()
            #expect(try await bed.service.request("GET", "/api/v1/builds?limit=500").builds.count == count + 2)
            await bed.stop()
        }

        /// As the README says it.
        private func restore(_ file: String, in bed: Bed) throws {
            let database = bed.path + "/data/slipway.sqlite"
            for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: database + suffix) {
                try FileManager.default.removeItem(atPath: database + suffix)
            }
            try FileManager.default.copyItem(atPath: file, toPath: database)
        }

        /// What a build writes can colour the reader's terminal, and nothing else, unless the bytes are asked for.
        @Test(.timeLimit(.minutes(6)))
        func aLogSteersNoTerminal() async throws {
            let bed = try await Bed()
            try bed.git.addBusybox()
            let command = #"printf '\033]0;owned\007 \033[2J10%%\r20%%\n \033[32mgreen\033[0m %s\n' is-here; exit 3"#
            let json = String(decoding: try JSONEncoder().encode(command), as: UTF8.self)
            let dockerfile = "FROM scratch\nCOPY bin /bin\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \(json)]\n"
            let build = try await bed.push("one", dockerfile: dockerfile)
            #expect(try await bed.service.wait(for: build.id).state == "failed")
            let raw = try await bed.slipway("logs", "1", "--raw")
            #expect(raw.contains("\u{1b}]0;owned\u{7}") && raw.contains("10%\r20%"), "\(raw.debugDescription)")
            #expect(try await bed.service.log(of: 1).contains("\u{1b}]0;owned\u{7}"))
            for text in [try await bed.slipway("logs", "1"), try await bed.refusal(3, "logs", "1", "--follow")] {
                #expect(!text.contains("owned\u{7}") && !text.contains("\u{1b}]") && !text.contains("\u{1b}[2J"))
            }
            let text = try await bed.slipway("logs", "1")
            #expect(text.contains("10%\n20%\n \u{1b}[32mgreen\u{1b}[0m is-here"), "\(text.debugDescription)")
            await bed.stop()
        }
    }
}
