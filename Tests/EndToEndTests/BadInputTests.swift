import Foundation
import Model
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Each with a clear answer, and nothing lost.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct BadInputTests {
        @Test(.timeLimit(.minutes(6)))
        func webhooks() async throws {
            let bed = try await Bed(workers: 0, more: "limits: {delay: 0s}")
            let body = Webhook(ref: "refs/heads/main", commit: String(repeating: "a", count: 40), secret: Bed.secret)
                .body
            let right = "sha256=" + Crypto.hmacSHA256(key: Data(Bed.secret.utf8), body).hex
            // wrong, empty and truncated signatures; a missing one; another body's
            for signature in ["sha256=" + String(repeating: "0", count: 64), "", String(right.dropLast(2)), "sha1=abc"]
            {
                let reply = try await bed.send(body, signature: signature)
                #expect(reply.status == 401, "\(signature): \(reply.text)")
                #expect(
                    reply.text.contains("X-Hub-Signature-256") || reply.text.contains("the signature does not fit"),
                    "\(reply.text)")
            }
            let missing = try await bed.service.request(
                "POST", "/webhooks/acme/shop", headers: ["X-GitHub-Event": "push"], body: body)
            #expect(missing.status == 401)
            #expect(try await bed.send(body + Data(" ".utf8), signature: right).status == 401)
            // bodies: empty, not JSON, deep, of another kind
            for text in ["", "nonsense", String(repeating: "[", count: 200_000), "{}", "[]"] {
                let reply = try await bed.send(Data(text.utf8))
                #expect(reply.status == 400, "\(text.prefix(20)): \(reply.status) \(reply.text)")
                #expect((reply.object["detail"] as? String)?.isEmpty == false)
            }
            // 26 MiB
            let huge = try await bed.service.request(
                "POST", "/webhooks/acme/shop", headers: ["X-GitHub-Event": "push"], body: Data(count: 26 << 20))
            #expect(huge.status == 413)
            // unknown repository and token, with a hint
            let unknown = try await bed.send(body, to: "/webhooks/acme/shup")
            #expect(unknown.status == 404)
            #expect(unknown.text.contains("nearest is acme"), "\(unknown.text)")
            #expect(try await bed.service.request("POST", "/triggers/nope", body: Data()).status == 404)
            // nothing of it became a build, and the right one still does
            #expect(try await bed.service.request("GET", "/api/v1/builds").builds.isEmpty)
            let reply = try await bed.send(body, signature: right)
            #expect(reply.status == 202)
            #expect(reply.builds.count == 1)
            #expect(try await bed.send(Data("{}".utf8), event: "ping").status == 200)
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(5)))
        func dockerfiles() async throws {
            let bed = try await Bed(
                rules: """
                        rules:
                          - {branch: main, tags: latest}
                          - {branch: folder, tags: folder, dockerfile: docker}
                          - {branch: link, tags: link, dockerfile: link/Dockerfile}
                          - {branch: gone, tags: gone, dockerfile: ops/Dockerfile}
                    """)
            try bed.git.write("docker/Dockerfile", "FROM scratch\n")
            try bed.git.git("commit", "-q", "--allow-empty", "-m", "x")
            try FileManager.default.createSymbolicLink(atPath: bed.git.tree + "/link", withDestinationPath: "/etc")
            // a directory, a way out, nothing there
            for (branch, reason) in [("folder", "directory"), ("link", "leaves"), ("gone", "ops/Dockerfile")] {
                let build = try await bed.push("x", to: "refs/heads/\(branch)")
                let end = try await bed.service.wait(for: build.id)
                #expect(end.state == "failed")
                #expect(end.errorKind == "build")
                #expect(end.errorStage == "checkout")
                #expect(end.error.contains(reason), "\(end.error)")
            }
            // faults in the Dockerfile name their line
            for (text, line) in [("FROM scratch\n\nCOPPY a b\n", "3"), ("FROM scratch\nCOPY missing /\n", "2")] {
                let build = try await bed.push("x", dockerfile: text)
                let end = try await bed.service.wait(for: build.id)
                #expect(end.state == "failed")
                #expect(end.errorKind == "build", "\(end.error)")
                #expect(end.errorStage == "build")
                #expect(end.error.contains("line \(line)"), "\(end.error)")
            }
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        /// Names with every character that Git allows come through as they are.
        @Test(.timeLimit(.minutes(6)))
        func oddNames() async throws {
            let bed = try await Bed(
                rules: """
                        rules:
                          - {branch: '/.*/', tags: '{sourceref}'}
                          - {tag: '/.*/', tags: 't-{sourceref}'}
                    """)
            let odd = "a/b!\"#$%&'()+,-.;<=>@]_`{|}é日本"
            for (ref, tag) in [("refs/heads/\(odd)", "a-b---------_-.--------_-------"), ("refs/tags/\(odd)", "t-")] {
                let build = try await bed.push("odd", to: ref)
                let end = try await bed.service.wait(for: build.id)
                #expect(end.state == "finished", "\(end)")
                #expect(end.json["ref"] as? String == ref)
                let made = (end.json["tags"] as? [[String: Any]])?.first?["name"] as? String ?? ""
                #expect(made.hasPrefix(tag.prefix(3)))
                #expect(try await bed.hello(made) == "odd")
                let name = odd.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                let query = ref.hasPrefix("refs/heads/") ? "branch" : "tag"
                #expect(
                    try await bed.service.request("GET", "/api/v1/builds?\(query)=\(name)").builds.map(\.id) == [
                        build.id
                    ])
            }
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(5)))
        func registries() async throws {
            let registry = try await RegistryServer.start()
            let proxy = try TCPProxy(to: registry.port)
            let bed = try await Bed(image: "127.0.0.1:\(proxy.port)/acme/shop", registry: registry)
            // breaks off in the middle
            proxy.mode = .held
            let broken = try await bed.push("one")
            _ = try await bed.service.wait(for: broken.id, ["pushing"])
            proxy.mode = .broken
            let waiting = try await bed.waitForRetry(of: broken)
            #expect(waiting.state == "pending")
            #expect(waiting.errorKind == "system")
            #expect(waiting.errorStage == "push")
            proxy.mode = .open
            #expect(try await bed.service.wait(for: broken.id).state == "finished")
            // down
            proxy.stop()
            let down = try await bed.waitForRetry(of: try await bed.push("two"))
            #expect(down.state == "pending")
            #expect(down.errorKind == "system")
            #expect(down.error.contains("127.0.0.1:\(proxy.port)"), "\(down.error)")
            try await bed.expectNothingLeft()
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aRegistryThatRefusesThePassword() async throws {
            let registry = try await RegistryServer.start(htpasswd: Login(username: "robot", password: Secret("right")))
            let bed = try await Bed(
                registries: "  \(registry.host): {insecure: true, username: robot, password: wrong-password}",
                registry: registry)
            let end = try await bed.waitForRetry(of: try await bed.push("one"))
            #expect(end.state == "pending")
            #expect(end.errorKind == "system")
            #expect(end.errorStage == "push")
            #expect(!bed.service.log.contains("wrong-password"))
            #expect(try await !bed.service.log(of: end.id).contains("wrong-password"))
            // With the right one it is pushed, and its hash is nowhere on the disk.
            try bed.replace("wrong-password", "right")
            await bed.service.stop()
            try await bed.startService()
            let good = try await bed.service.wait(for: try await bed.push("two").id)
            #expect(good.state == "finished", "\(good)")
            #expect(try await bed.hello("latest") == "two")
            await bed.stop()
        }

        @Test(.timeLimit(.minutes(6)))
        func aRegistryThatAnswers500() async throws {
            let server = try ScriptedServer { _ in .answer(500, [], "it is broken") }
            let bed = try await Bed(image: "127.0.0.1:\(server.port)/acme/shop")
            let end = try await bed.waitForRetry(of: try await bed.push("one"))
            #expect(end.state == "pending")
            #expect(end.errorKind == "system")
            #expect(end.errorStage == "push")
            server.stop()
            await bed.stop()
        }

        /// A push that can't be kept is not accepted, and is taken again when there is room.
        @Test(.enabled(if: Machine.isRoot && !Machine.isOnPostgreSQL), .timeLimit(.minutes(6)))
        func aFullDisk() async throws {
            let disk = try TemporaryDirectory()
            _ = try await Command.run("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", disk.path])
            defer { _ = umount2(disk.path, Int32(MNT_DETACH)) }
            let bed = try await Bed(workers: 0, data: disk.path)
            // Each of another commit: what is told twice is built once.
            func body(_ number: Int) -> Data {
                Webhook(ref: "refs/heads/main", commit: String(format: "%040x", number), secret: Bed.secret).body
            }
            #expect(try await bed.send(body(1)).status == 202)
            let filler = disk.path + "/filler"
            try Data().write(to: URL(fileURLWithPath: filler))
            let handle = try #require(FileHandle(forWritingAtPath: filler))
            while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
            try? handle.close()
            var accepted = 1
            var reply = try await bed.send(body(2))
            while reply.status == 202, accepted < 500 {
                accepted += 1
                reply = try await bed.send(body(accepted + 1))
            }
            #expect(reply.status == 503, "\(reply.text)")
            #expect(try await bed.service.request("GET", "/readyz").status == 503)
            #expect(bed.service.log.contains("room"), "\(bed.service.log)")
            try FileManager.default.removeItem(atPath: filler)
            #expect(try await bed.send(body(1000)).status == 202)
            #expect(try await bed.service.request("GET", "/readyz").status == 200)
            #expect(try await bed.service.request("GET", "/api/v1/builds?limit=500").builds.count == accepted + 1)
            await bed.stop()
        }
    }
}
