import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// SIGHUP reads the settings again: the service goes on, and what it does next it does by the new ones.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry", "git")))
    struct ReloadTests {
        private static let told = "the settings were read again"

        @Test(.timeLimit(.minutes(6)))
        func repositoriesRulesSecretsAndWorkers() async throws {
            let bed = try await Bed(workers: 0, rules: "    poll: off\n    rules: [{branch: main, tags: latest}]")
            let first = try await bed.push("one")
            #expect(first.state == "pending")

            // A repository more.
            try bed.append(
                settings: """
                      acme/tools:
                        source: \(bed.git.bare)
                        image: \(bed.registry.host)/acme/tools
                        webhook_secret: "\(Bed.secret)"
                    """)
            try await bed.reload(saying: "\(Self.told): repositories added: acme/tools")
            let commit = try #require(first.commit)
            let second = try #require(
                try await bed.tell("refs/heads/main", commit, repository: "acme/tools").builds.first)

            // A rule: the build that waits keeps its own.
            try bed.replace("tags: latest}", "tags: newest}")
            try await bed.reload(saying: "\(Self.told): changed: acme/shop")
            let third = try await bed.push("two")
            let latest = try #require(third.commit)

            // A secret, in a file: the new one is taken and the old one no more.
            let file = try bed.folder.write("the first secret, 0123456789", to: "secret")
            try bed.replace("webhook_secret: \"\(Bed.secret)\"", "webhook_secret: {file: \(file)}")
            try await bed.reload(saying: "\(Self.told): changed: acme/shop, acme/tools")
            #expect(try await bed.tell("refs/heads/main", latest).status == 401)
            #expect(try await tell(bed, "the first secret, 0123456789", latest).status == 202)
            _ = try bed.folder.write("the second secret, 0123456789", to: "secret")
            try await bed.reload(saying: "\(Self.told): changed: acme/shop, acme/tools")
            #expect(try await tell(bed, "the first secret, 0123456789", latest).status == 401)
            #expect(try await tell(bed, "the second secret, 0123456789", latest).status == 202)

            // Slots: what was pending starts.
            try bed.replace("workers: 0", "workers: 2")
            try await bed.reload(saying: "\(Self.told): keys changed: workers")
            for build in [first, second, third] {
                #expect(["finished", "superseded"].contains(try await bed.service.wait(for: build.id).state))
            }
            #expect(try await bed.hello("newest") == "two")
            let names = try await bed.service.build(first.id).json["tags"] as? [[String: Any]]
            #expect(names?.first?["name"] as? String == "latest")
            #expect(!bed.service.log.contains("secret, 0123456789"))
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aRunningBuildEndsByTheSettingsItBeganWith() async throws {
            let registry = try await RegistryServer.start()
            let proxy = try TCPProxy(to: registry.port)
            let bed = try await Bed(
                workers: 1, image: "127.0.0.1:\(proxy.port)/acme/shop", rules: "    poll: off", registry: registry)
            proxy.mode = .held
            let build = try await bed.push("one")
            _ = try await bed.service.wait(for: build.id, ["pushing"])
            try bed.replace("acme/shop:\n", "acme/other:\n")
            try bed.replace("workers: 1", "workers: 0")
            try await bed.reload(
                saying: "\(Self.told): repositories added: acme/other; removed: acme/shop; keys changed: workers")
            proxy.mode = .open
            let end = try await bed.service.wait(for: build.id)
            #expect(end.state == "finished" && end.attempt == 1, "\(end)")
            #expect(try await bed.hello("latest") == "one")
            proxy.stop()
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aFileWithErrorsChangesNothing() async throws {
            let bed = try await Bed(workers: 0)
            let commit = String(repeating: "a", count: 40)
            let good = try String(contentsOfFile: bed.config, encoding: .utf8)
            try bed.replace("workers: 0", "workers: none")
            try bed.replace("acme/shop:", "acme/other:")
            try await bed.reload(saying: "the settings have errors, so they stay as they were errors=1")
            #expect(bed.service.log.contains("error \(bed.config):4:10: workers is"))
            #expect(try await bed.tell("refs/heads/main", commit).status == 202)
            #expect(try await bed.tell("refs/heads/main", commit, repository: "acme/other").status == 404)
            // Gone, it is as wrong; back, it is read.
            try FileManager.default.removeItem(atPath: bed.config)
            try await bed.reload(saying: "there is no such file")
            #expect(try await bed.tell("refs/heads/main", commit).status == 202)
            try good.replacing("acme/shop:", with: "acme/other:")
                .write(toFile: bed.config, atomically: true, encoding: .utf8)
            try await bed.reload(saying: "\(Self.told): repositories added: acme/other; removed: acme/shop")
            #expect(try await bed.tell("refs/heads/main", commit).status == 404)
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func whatNeedsARestartIsToldAndStays() async throws {
            let bed = try await Bed(workers: 0)
            try bed.replace("listen: 127.0.0.1:0", "listen: 127.0.0.1:1")
            try bed.replace("engine: buildah", "engine: podman")
            try bed.replace("data: ", "data: /nowhere")
            try bed.append(settings: "url: https://builds.example.com")
            try await bed.reload(saying: "\(Self.told): keys changed: url")
            for key in ["listen", "data", "engine"] {
                #expect(bed.service.log.contains("warning \"\(key)\" changed in the settings, which needs a restart"))
            }
            // The same address still answers, with the links of the new one.
            let reply = try await bed.tell("refs/heads/main", String(repeating: "a", count: 40))
            #expect(reply.status == 202)
            #expect(reply.builds.first?.json["url"] as? String == "https://builds.example.com/api/v1/builds/1")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func noRequestFailsWhileTheSettingsAreReadAgain() async throws {
            let bed = try await Bed(workers: 0)
            let ended = Ended()
            let sent = try await withThrowingTaskGroup(of: [Int].self) { group in
                for sender in 1...4 {
                    group.addTask {
                        var statuses: [Int] = []
                        while !ended.flag.withLock(\.self) {
                            let commit = String(format: "%08x%032x", sender, statuses.count)
                            statuses.append(try await bed.tell("refs/heads/main", commit).status)
                        }
                        return statuses
                    }
                }
                do {
                    for reload in 1...20 {
                        try bed.replace("retries: \(reload - 1)\n", "")
                        try bed.append(settings: "retries: \(reload)\n")
                        try await bed.reload(saying: "\(Self.told): keys changed: retries")
                    }
                } catch {
                    ended.flag.withLock { $0 = true }
                    throw error
                }
                ended.flag.withLock { $0 = true }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(sent.count >= 20)
            #expect(Set(sent) == [202], "\(bed.service.log)")
            await bed.stop()
        }

        private final class Ended: Sendable {
            let flag = Mutex(false)
        }

        private func tell(_ bed: Bed, _ secret: String, _ commit: String) async throws -> Service.Reply {
            let body = Webhook(ref: "refs/heads/main", commit: commit, secret: secret).body
            return try await bed.send(
                body, signature: "sha256=" + Crypto.hmacSHA256(key: Data(secret.utf8), body).hex)
        }
    }
}

extension Bed {
    /// Sends SIGHUP and waits until the log tells of it once more than before.
    func reload(saying text: String) async throws {
        func told() -> Int { service.log.components(separatedBy: text).count }
        let before = told()
        kill(service.pid, SIGHUP)
        guard await eventually(.seconds(30), { told() > before }) else {
            throw Service.NotStarted(description: "SIGHUP never made it say \"\(text)\":\n\(service.log)")
        }
    }
}
