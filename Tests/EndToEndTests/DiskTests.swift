import Engine
import Foundation
import Model
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// What builds leave on the disk, and a disk without room.
    @Suite(.enabled(if: Machine.has("buildah", "docker-registry")))
    struct DiskTests {
        /// The service waits for room on the disk of its data, and takes pushes all the same.
        @Test(.enabled(if: Machine.isRoot, "needs root, to mount a small disk"), .timeLimit(.minutes(6)))
        func buildsWaitForRoom() async throws {
            let disk = try TemporaryDirectory()
            // A little more than disk.min_free.
            _ = try await Command.run("mount", ["-t", "tmpfs", "-o", "size=1100m", "tmpfs", disk.path])
            defer { _ = umount2(disk.path, Int32(MNT_DETACH)) }
            let filler = disk["filler"]
            _ = try await Command.run("fallocate", ["-l", "150m", filler])
            let bed = try await Bed(data: disk.path)
            let build = try await bed.push("later")
            let waiting = try await bed.service.request("GET", "/api/v1/builds/\(build.id)?wait=6s&seen=pending")
            #expect(waiting.object["state"] as? String == "pending")
            let ready = try await bed.service.request("GET", "/readyz")
            #expect(ready.status == 200)
            #expect(ready.text.contains("builds wait: "), "\(ready.text)")
            #expect(ready.text.contains("are free on \(disk.path), less than disk.min_free, 1 GiB"), "\(ready.text)")
            #expect(bed.service.log.components(separatedBy: "builds wait: ").count == 2, "\(bed.service.log)")
            try FileManager.default.removeItem(atPath: filler)
            #expect(try await bed.service.wait(for: build.id).state == "finished")
            #expect(try await bed.service.request("GET", "/readyz").text == "ready\n")
            #expect(try await bed.hello("latest") == "later")
            await bed.stop()
        }

        /// Buildah keeps the bundle of a RUN step in its temporary folder.
        @Test(.timeLimit(.minutes(6)))
        func aKilledServiceLeavesNoTemporaryFiles() async throws {
            let temporary = try TemporaryDirectory()
            let bed = try await Bed(environment: ["TMPDIR": temporary.path])
            try bed.git.addBusybox()
            let build = try await bed.push(
                "hello",
                dockerfile: """
                    FROM scratch
                    COPY bin /bin
                    COPY hello /hello
                    RUN ["/bin/busybox", "sh", "-c", "echo now it runs; sleep 3"]

                    """)
            try await bed.service.wait(for: build.id, log: "now it runs\n")
            await bed.service.kill9()
            try await bed.startService()
            #expect(try await bed.service.wait(for: build.id).state == "finished")
            try await bed.expectNothingLeft()
            #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == [])
            await bed.stop()
        }

        /// A pack that never became whole goes, with the mirror of a source that is no longer built.
        @Test(.enabled(if: Machine.has("git")), .timeLimit(.minutes(6)))
        func aServiceThatIsKilledInAFetchLeavesNoPack() async throws {
            let root = try TemporaryDirectory()
            let git = try GitProject(in: root.path)
            let server = try await GitDaemon.start(root: root.path)
            let url = server.url(for: "shop.git")
            let port = try #require(URL(string: url)?.port)
            let relay = try StallingRelay(to: UInt16(port), after: 600_000)
            let stalling = url.replacing(":\(port)/", with: ":\(relay.port)/")
            let bed = try await Bed(source: stalling)
            try git.write("Dockerfile", "FROM scratch\nCOPY big /big\n")
            try Crypto.randomBytes(2_000_000).write(to: URL(fileURLWithPath: git.tree + "/big"))
            let commit = try git.commit()
            try git.push()
            let build = try #require(try await bed.tell("refs/heads/main", commit).builds.first)
            #expect(await withDeadline(.seconds(60)) { await relay.stalls.first { _ in true } != nil } == true)
            func drafts() -> [String] {
                let files = FileManager.default.enumerator(atPath: bed.path + "/data/mirrors")
                return (files?.compactMap { $0 as? String } ?? []).filter { $0.contains("pack_git2_") }
            }
            #expect(drafts().count == 1)
            await bed.service.kill9()
            relay.stop()
            #expect(drafts().count == 1)
            try bed.replace(stalling, url)
            try await bed.startService()
            #expect(try await bed.service.wait(for: build.id).state == "finished")
            #expect(drafts() == [])
            try await bed.expectNothingLeft()
            await bed.stop()
            server.stop()
        }

        /// Each engine's storage, made smaller for real.
        @Suite(.dockerDaemon, .enabled(if: BaseImage.isAvailable, "needs the Debian package busybox-static"))
        struct StorageTests {
            @Test(.timeLimit(.minutes(6)), arguments: EngineTests.available)
            func keepsWhatIsNotNamed(_ builder: EngineTests.Builder) async throws {
                try await Workshop.open(builder) { shop in
                    let storage = try #require(shop.engine as? any ImageStorage)
                    #expect(try await FileManager.default.fileExists(atPath: storage.folder() ?? ""))
                    func image(_ tag: String, _ step: String) async throws -> ImageBuild {
                        shop.write("Dockerfile", "FROM \(shop.base)\nRUN echo shared > /a\nRUN \(step)\n")
                        let build = shop.build(tag: tag)
                        try await shop.engine.build(build, scratch: shop.scratch) { _ in }
                        return build
                    }
                    let one = try await image("one", "echo one > /b")
                    let two = try await image("two", "echo two > /b")
                    await #expect(throws: Failure.self) { _ = try await image("bad", "echo bad > /b\nRUN exit 1") }
                    #expect(try await storage.names().isSuperset(of: [one.reference, two.reference]))
                    try await storage.remove(one.reference)
                    let names = try await storage.names()
                    #expect(names.contains(two.reference) && !names.contains(one.reference), "\(names)")
                    // Not while somebody builds, and not within the budget.
                    let before = try await cached(shop)
                    try await storage.pruneCache(to: 0) { false }
                    try await storage.pruneCache(to: 1 << 30) { true }
                    #expect(try await cached(shop) == before)
                    try await storage.pruneCache(to: 0) { true }
                    if builder != .classic { #expect(try await cached(shop) < before) }
                    #expect(try await storage.names() == names)
                    // It can still be pushed, and built upon.
                    try await shop.engine.push(two, scratch: shop.scratch) { _ in }
                    #expect(try await shop.pull("two").file("b") == "two\n")
                    _ = try await image("one", "echo one > /b")
                    await #expect(throws: (any Error).self) { try await storage.remove(shop.base + "-missing") }
                }
            }

            /// How many pieces of cache the builder tells of.
            private func cached(_ shop: Workshop) async throws -> Int {
                let arguments =
                    switch shop.builder {
                    case .buildKit, .classic: ["system", "df", "--format", "{{.Type}} {{.TotalCount}}"]
                    case .buildah, .podman: ["images", "--all", "--quiet"]
                    }
                let program = shop.builder == .buildah || shop.builder == .podman ? shop.builder.rawValue : "docker"
                let answer = try await ChildProcess(program, arguments, environment: shop.environment).capture()
                let lines = String(decoding: answer.stdout, as: UTF8.self).split(separator: "\n")
                guard program == "docker" else { return lines.count }
                return lines.first { $0.hasPrefix("Build Cache") }
                    .flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
            }

            /// The machine's fault, whichever step finds it.
            @Test(
                .enabled(if: Machine.isRoot, "needs root, to mount a small disk"), .timeLimit(.minutes(6)),
                arguments: EngineTests.available.filter { [.buildah, .podman].contains($0) })
            func aFullDisk(_ builder: EngineTests.Builder) async throws {
                try await Workshop.open(builder) { shop in
                    let disk = shop.folder + "/storage"
                    _ = try await Command.run("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", disk])
                    for step in ["dd if=/dev/zero of=/big bs=1M count=30", "exit 0"] {
                        shop.write("Dockerfile", "FROM \(shop.base)\nCOPY . /src\nRUN \(step)\n")
                        if step == "exit 0" { shop.write("big", String(repeating: "x", count: 20_000_000)) }
                        let failure = await #expect(throws: Failure.self) {
                            try await shop.engine.build(shop.build(tag: "big"), scratch: shop.scratch) { _ in }
                        }
                        #expect(failure?.kind == .system && failure?.stage == .build, "\(failure.debugDescription)")
                        #expect(
                            failure?.message.contains("no space left on device") == true
                                || failure?.message.contains("No space left on device") == true,
                            "\(failure.debugDescription)")
                    }
                    #expect(shop.scratchIsEmpty)
                    #expect(try await shop.workingContainers() == "")
                }
            }
        }
    }
}
