import Foundation
import Model
import Testing

@testable import Engine

/// Outputs as docker 20.10 (BuildKit, classic), docker 28 and buildah 1.28 wrote them.
@Suite struct FailureReaderTests {
    private static let dockerfile = """
        # syntax=docker/dockerfile:1
        FROM registry.example.com/base:1 AS one

        ENV A=1 \\
          # inside
          B=2
        RUN echo one \\
          && echo two
        FROM registry.example.com/base:1
        COPY --from=one /bin/nope /x
        RUN echo about to fail; \\
            exit 3
        """

    private func failure(_ output: String, code: Int32 = 1, dockerfile: String = Self.dockerfile) throws -> Failure {
        let folder = NSTemporaryDirectory() + "slipway-reader-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder + "/app", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try dockerfile.write(toFile: folder + "/app/Dockerfile", atomically: true, encoding: .utf8)
        let build = ImageBuild(
            workspace: folder, dockerfile: folder + "/app/Dockerfile", context: folder, reference: "r.example.com/a:1")
        var tail = OutputTail()
        tail.append(Data(output.utf8))
        return FailureReader(build: build, builder: "docker 20.10", code: code, lines: tail.lines).failure(of: .build)
    }

    private static let failedStep =
        "app/Dockerfile line 11 (RUN echo about to fail; exit 3): the command failed with exit code 3"

    @Test(arguments: [
        // BuildKit in 20.10
        """
        #6 [stage-1 3/3] RUN echo about to fail;     exit 3
        #6 sha256:e26f59baec8dbb1f3b81046a1afa6c3fc2a12d43add91502edbc914b70fde0ac
        #6 0.294 about to fail
        #6 ERROR: executor failed running [/bin/sh -c echo about to fail;     exit 3]: exit code: 3
        ------
         > [stage-1 3/3] RUN echo about to fail;     exit 3:
        ------
        executor failed running [/bin/sh -c echo about to fail;     exit 3]: exit code: 3
        """,
        // BuildKit behind buildx
        """
        #6 0.294 about to fail
        #6 ERROR: process "/bin/sh -c echo about to fail;     exit 3" did not complete successfully: exit code: 3
        ------
         > [stage-1 3/3] RUN echo about to fail;     exit 3:
        0.294 about to fail
        ------
        Dockerfile:11
        --------------------
          10 |     COPY --from=one /bin/nope /x
          11 | >>> RUN echo about to fail; \\
        --------------------
        ERROR: failed to solve: process "/bin/sh -c echo about to fail;     exit 3" did not complete successfully: exit code: 3
        """,
        // the classic builder
        """
        Step 6/6 : RUN echo about to fail;     exit 3
         ---> Running in fded50a2f366
        about to fail
        The command '/bin/sh -c echo about to fail;     exit 3' returned a non-zero code: 3
        """,
        // buildah with a runtime, and with chroot
        """
        [2/2] STEP 3/3: RUN echo about to fail;     exit 3
        about to fail
        Error: building at STEP "RUN echo about to fail;     exit 3": while running runtime: exit status 3
        """,
        """
        [2/2] STEP 3/3: RUN echo about to fail;     exit 3
        about to fail
        subprocess exited with status 3
        Error: building at STEP "RUN echo about to fail;     exit 3": exit status 3
        """,
    ])
    func namesTheLineOfAFailedCommand(_ output: String) throws {
        let failure = try failure(output)
        #expect(failure.kind == .build)
        #expect(failure.stage == .build)
        #expect(failure.message.split(separator: "\n").first.map(String.init) == Self.failedStep)
        #expect(failure.message.contains("about to fail"))
        #expect(!failure.message.contains("sha256:"))
    }

    @Test(arguments: [
        (
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: RUNN",
            "app/Dockerfile line 2 (RUNN echo): dockerfile parse error line 2: unknown instruction: RUNN"
        ),
        (
            "Error response from daemon: dockerfile parse error line 2: unknown instruction: RUNN",
            "app/Dockerfile line 2 (RUNN echo): dockerfile parse error line 2: unknown instruction: RUNN"
        ),
        (
            "Error: building at STEP \"RUNN \": Build error: Unknown instruction: \"RUNN\" &imagebuilder.Step{}",
            "app/Dockerfile line 2 (RUNN echo): building at STEP \"RUNN \": Build error: Unknown instruction: \"RUNN\""
        ),
    ])
    func namesTheLineOfAMistake(_ output: String, _ sentence: String) throws {
        let failure = try failure(output, dockerfile: "FROM scratch\nRUNN echo\n")
        #expect(failure.kind == .build)
        #expect(failure.message.split(separator: "\n").first.map(String.init) == sentence)
    }

    @Test(arguments: [
        // The repository's: what is not there, or not allowed.
        ("failed to compute cache key: \"/nothere\" not found: not found", Failure.Kind.build),
        (
            "COPY failed: file not found in build context or excluded by .dockerignore: stat nothere: file does not exist",
            .build
        ),
        ("manifest for r.example.com/none:1 not found: manifest unknown: manifest unknown", .build),
        ("pull access denied for none, repository does not exist or may require 'docker login'", .build),
        (
            "Error: creating build container: reading manifest 1 in r.example.com/none: manifest unknown: manifest unknown",
            .build
        ),
        (
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: the Dockerfile cannot be empty",
            .build
        ),
        ("Error response from daemon: failed to reach build target nope in Dockerfile", .build),
        ("Error: The target \"nope\" was not found in the provided Dockerfile", .build),
        (
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/no\": stat /no: no such file or directory: unknown",
            .build
        ),
        // A step that fails on the network is the step's own affair.
        (
            "curl: (7) Failed to connect: Connection refused\nThe command '/bin/sh -c curl x' returned a non-zero code: 7",
            .build
        ),
        // Ours: network, registries, daemon, disk.
        ("Cannot connect to the Docker daemon at unix:///nope. Is the docker daemon running?", .system),
        (
            "failed to dial gRPC: cannot connect to the Docker daemon. Is 'docker daemon' running on this host?: dial unix /nope: connect: no such file or directory",
            .system
        ),
        ("Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused", .system),
        (
            "failed to solve: failed to do request: Head \"https://r.example.com/v2/\": dial tcp: lookup r.example.com on 192.0.2.53:53: no such host",
            .system
        ),
        (
            "Error: creating build container: pinging container registry r.example.com: received unexpected HTTP status: 503 Service Unavailable",
            .system
        ),
        ("error committing container: write /layer.tar: no space left on device", .system),
        ("executor failed running [/bin/sh -c true]: network bridge not found", .system),
        ("ERROR: dial unix /run/docker.sock: connect: no such file or directory", .system),
        ("Error: building at STEP \"RUN true\": signal: killed", .system),
        (
            "error running container: from /usr/bin/crun creating container for [/bin/sh -c true]: cgroups in hybrid mode not supported\n: exit status 1\nError: building at STEP \"RUN true\": while running runtime: exit status 1",
            .system
        ),
    ])
    func tellsWhoseFaultItIs(_ output: String, _ kind: Failure.Kind) throws {
        #expect(try failure(output).kind == kind)
    }

    @Test func isSystemsWithAllPushes() throws {
        let build = ImageBuild(
            workspace: "/w", dockerfile: "/w/Dockerfile", context: "/w", reference: "r.example.com/a:1")
        let reader = FailureReader(
            build: build, builder: "docker 20.10", code: 1,
            lines: ["denied: requested access to the resource is denied"])
        let failure = reader.failure(of: .push)
        #expect(failure.kind == .system)
        #expect(failure.stage == .push)
        #expect(failure.message.contains("r.example.com/a:1"))
        #expect(failure.message.contains("username and password"))
    }

    @Test func followsWhatARegistryWishes() throws {
        let build = ImageBuild(
            workspace: "/w", dockerfile: "/w/Dockerfile", context: "/w", reference: "r.example.com/a:1")
        func failure(_ line: String) -> Failure {
            FailureReader(build: build, builder: "docker 20.10", code: 1, lines: [line]).failure(of: .push)
        }
        #expect(failure("toomanyrequests: Retry-After: 120").retryAfter == .seconds(120))
        #expect(failure("toomanyrequests: too many, retry after 7 seconds").retryAfter == .seconds(7))
        #expect(failure("toomanyrequests: you have reached your limit").retryAfter == nil)
    }

    @Test func saysThatAStepWasKilled() throws {
        let failure = try failure("Error: building at STEP \"RUN make\": exit status 137")
        #expect(failure.kind == .build)
        #expect(failure.message.contains("exit code 137 (killed, perhaps for want of memory)"))
    }

    @Test func boundsTheMessage() throws {
        let output = (0..<1000).map { "line \($0) " + String(repeating: "x", count: 1000) }.joined(separator: "\n")
        #expect(try failure(output).message.count < 6000)
    }

    @Test func saysSoWhereNothingWasSaid() throws {
        #expect(try failure("", code: 9).message.contains("exit code was 9"))
    }
}
