import Engine
import Foundation
import Model
import Platform
import Synchronization
import TestSupport
import Testing

/// Docker with BuildKit and with the classic builder, buildah and podman, each building and pushing for real.
@Suite(.serialized, .dockerDaemon, .enabled(if: BaseImage.isAvailable, "needs the Debian package busybox-static"))
struct EngineTests {
    enum Builder: String, CaseIterable, CustomTestStringConvertible {
        case buildKit, classic, buildah, podman

        var testDescription: String { rawValue }

        var isAvailable: Bool {
            switch self {
            case .buildKit, .classic: DockerDaemon.isAvailable
            case .buildah, .podman: ChildProcess.find(rawValue, in: ProcessInfo.processInfo.environment) != nil
            }
        }
    }

    static var available: [Builder] { Builder.allCases.filter(\.isAvailable) }

    /// A skip for each builder that is missing, to be seen in the list of tests.
    @Test(.enabled(if: DockerDaemon.isAvailable, "needs root and the Debian packages docker.io and iptables"))
    func dockerIsHere() {}
    @Test(.enabled(if: Builder.buildah.isAvailable, "needs the Debian package buildah"))
    func buildahIsHere() {}
    @Test(.enabled(if: Builder.podman.isAvailable, "needs the Debian package podman"))
    func podmanIsHere() {}

    @Test(arguments: available)
    func buildsAndPushes(_ builder: Builder) async throws {
        try await Workshop.open(builder) { shop in
            shop.write(
                "docker/Dockerfile",
                """
                FROM \(shop.base) AS one
                ARG CHANNEL=none
                RUN echo "channel $CHANNEL" > /channel
                COPY . /src
                FROM \(shop.base) AS two
                RUN exit 9
                """)
            shop.write("app/kept", "kept")
            shop.write("app/ignored", "ignored")
            shop.write("app/.dockerignore", "ignored\n")
            var build = shop.build("docker/Dockerfile", context: "app", tag: "whole")
            build.buildArgs = ["CHANNEL": "stable and \"odd\""]
            build.target = "one"
            build.labels = ["org.opencontainers.image.revision": "abc", "note": "two words"]
            let file = shop.folder + "/image"
            build.idFile = file
            let output = try await shop.buildAndPush(build)
            #expect(output.contains("RUN echo"))
            let id = try #require(await shop.engine.image(build.reference))
            #expect(id.hasPrefix("sha256:"))
            #expect(try String(contentsOfFile: file, encoding: .utf8) == id)
            #expect(await shop.engine.image(build.reference + "-other") == nil)

            let image = try await shop.pull("whole")
            #expect(image.labels["org.opencontainers.image.revision"] == "abc")
            #expect(image.labels["note"] == "two words")
            #expect(image.file("channel") == "channel stable and \"odd\"\n")
            #expect(image.file("src/kept") == "kept")
            #expect(image.file("src/ignored") == nil)
        }
    }

    @Test(arguments: available)
    func namesTheDockerfilesLine(_ builder: Builder) async throws {
        try await Workshop.open(builder) { shop in
            shop.write(
                "Dockerfile",
                "# first\nFROM \(shop.base)\nENV A=1 \\\n  B=2\nRUN echo going; \\\n    echo wrong >&2; exit 3\n")
            let failure = await #expect(throws: Failure.self) { try await shop.buildAndPush(shop.build(tag: "bad")) }
            #expect(failure?.kind == .build)
            #expect(failure?.message.contains("Dockerfile line 5 (RUN echo going;") == true)
            #expect(failure?.message.contains("exit code 3") == true)
            #expect(failure?.message.contains("wrong") == true)

            shop.write("Dockerfile", "FROM \(shop.base)\nRUNN true\n")
            let mistake = await #expect(throws: Failure.self) { try await shop.buildAndPush(shop.build(tag: "bad")) }
            #expect(mistake?.kind == .build)
            #expect(mistake?.message.contains("Dockerfile line 2 (RUNN true)") == true)

            shop.write("Dockerfile", "FROM \(shop.base)\n\nCOPY nothere /x\n")
            let missing = await #expect(throws: Failure.self) { try await shop.buildAndPush(shop.build(tag: "bad")) }
            #expect(missing?.kind == .build)
            #expect(missing?.message.contains("Dockerfile line 3 (COPY nothere /x)") == true)
        }
    }

    @Test(arguments: available)
    func tellsWhoseABaseImagesFailureIs(_ builder: Builder) async throws {
        try await Workshop.open(builder) { shop in
            shop.write("Dockerfile", "FROM \(shop.registry.address)/none:1\nRUN true\n")
            let missing = await #expect(throws: Failure.self) { try await shop.buildAndPush(shop.build(tag: "bad")) }
            #expect(missing?.kind == .build)
            #expect(missing?.message.contains("Dockerfile line 1 (FROM") == true)

            shop.write("Dockerfile", "FROM 127.0.0.1:1/none:1\nRUN true\n")
            let down = await #expect(throws: Failure.self) { try await shop.buildAndPush(shop.build(tag: "bad")) }
            #expect(down?.kind == .system)
            #expect(down?.stage == .build)
        }
    }

    @Test(arguments: available)
    func saysWhyAPushFailed(_ builder: Builder) async throws {
        try await Workshop.open(builder, password: "right") { shop in
            shop.write("Dockerfile", "FROM \(shop.base)\nLABEL a=b\n")
            try await shop.buildAndPush(shop.build(tag: "good"))
            #expect(try await shop.pull("good").labels["a"] == "b")

            var build = shop.build(tag: "bad")
            build.logins = [shop.registry.address: Login(username: "ci", password: Secret("wrong-password"))]
            let refused = await #expect(throws: Failure.self) {
                // The base image is here already; only the push needs the password.
                try await shop.engine.push(shop.build(tag: "good").with(logins: build.logins), scratch: shop.scratch) {
                    _ in
                }
            }
            #expect(refused?.kind == .system)
            #expect(refused?.stage == .push)
            #expect(refused?.message.contains("username and password") == true)
            #expect(refused?.message.contains("wrong-password") == false)
            #expect(shop.scratchIsEmpty)
        }
    }

    @Test(arguments: available)
    func leavesNothingOfACancelledBuild(_ builder: Builder) async throws {
        try await Workshop.open(builder) { shop in
            let mark = "\(Int.random(in: 100_000...999_999))"
            // The shell stays: while it became another, its words could not be read.
            shop.write("Dockerfile", "FROM \(shop.base)\nRUN echo begun-$((\(mark)+1)); sleep \(mark); true\n")
            let containers = try await shop.workingContainers()
            let (begun, hasBegun) = AsyncStream<Void>.makeStream()
            let build = shop.build(tag: "never")
            let running = Task {
                try await shop.engine.build(build, scratch: shop.scratch) { data in
                    if String(decoding: data, as: UTF8.self).contains("begun-\(Int(mark)! + 1)") { hasBegun.finish() }
                }
            }
            for await _ in begun {}
            let processes = try shop.processes(with: mark)
            #expect(!processes.isEmpty)
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            #expect(shop.scratchIsEmpty)
            // Docker's daemon hears of it by the closed connection, and takes a moment of its own.
            for process in processes { #expect(try await shop.waitForEnd(of: process)) }
            #expect(try await shop.workingContainers() == containers)
        }
    }

    @Test(.enabled(if: Builder.buildah.isAvailable, "needs the Debian package buildah"))
    func removesAtItsStartWhatAKilledServiceLeft() async throws {
        try await Workshop.open(.buildah) { shop in
            let mounts = shop.folder + "/slipway-mounts-1.conf"
            for options in [[], ["--default-mounts-file", mounts]] {
                let made = ChildProcess("buildah", options + ["from", "scratch"], environment: shop.environment)
                #expect(try await made.capture().ending == .exited(0))
            }
            #expect(try await shop.workingContainers().split(separator: "\n").count == 2)
            _ = try await Engines.choose(.buildah, environment: shop.environment)
            #expect(try await shop.workingContainers().split(separator: "\n").count == 1)
        }
    }

    @Test(.enabled(if: DockerDaemon.isAvailable, "needs root and the Debian packages docker.io and iptables"))
    func choosesADockerWithBuildKitThoughAnotherComesFirst() async throws {
        let daemon = try #require(DockerDaemon.current)
        let engine = try await Engines.choose(.auto, environment: daemon.environment)
        let all = ChildProcess.findAll("docker", in: daemon.environment)
        #expect(engine.name.hasPrefix("docker"))
        if all.contains("/usr/bin/docker") { #expect(engine.name.hasSuffix("BuildKit")) }
        let other = daemon.environment.merging(["DOCKER_HOST": "unix:///nonexistent.sock"]) { $1 }
        await #expect(throws: NoEngine.self) { try await Engines.choose(.docker, environment: other) }
    }
}
