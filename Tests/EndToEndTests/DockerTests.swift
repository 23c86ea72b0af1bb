import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The whole way with docker: its own daemon, BuildKit and the classic builder.
    @Suite(.dockerDaemon, .enabled(if: DockerDaemon.isAvailable && Machine.has("docker-registry")))
    struct DockerTests {
        @Test(.timeLimit(.minutes(6)), arguments: ["1", "0"])
        func aPushBecomesAnImage(buildKit: String) async throws {
            let environment = try #require(DockerDaemon.current).environment.merging(["DOCKER_BUILDKIT": buildKit]) {
                $1
            }
            let bed = try await Bed(
                engine: "docker",
                rules: """
                        rules:
                          - branch: main
                            tags: [latest, 'main-{sha7}']
                            dockerfile: ops/Dockerfile
                            context: /
                            build_args: {GREETING: "from the settings"}
                            target: wanted
                    """, environment: environment)
            try bed.git.addBusybox()
            try bed.git.write(".dockerignore", "secret\n")
            try bed.git.write("secret", "not in the image")
            try bed.git.write(
                "ops/Dockerfile",
                """
                FROM scratch AS wanted
                ARG GREETING
                COPY . /
                RUN ["/bin/busybox", "sh", "-c", "echo $GREETING > /greeting"]
                FROM wanted
                RUN ["/bin/busybox", "false"]

                """)
            let end = try await bed.service.wait(for: try await bed.push("docker").id)
            let log = try await bed.service.log(of: end.id)
            #expect(end.state == "finished", "\(end)\n\(log)")
            #expect(bed.service.log.contains(buildKit == "1" ? "BuildKit" : "classic"), "\(bed.service.log)")
            #expect(try await bed.hello("latest") == "docker")
            let greeting = try await bed.registry.readFile("/greeting", image: "acme/shop", tag: "latest")
            #expect(greeting.map { String(decoding: $0, as: UTF8.self) } == "from the settings\n")
            #expect(
                try await !bed.registry.files(image: "acme/shop", tag: "latest").contains { $0.hasSuffix("secret") })
            let labels = try await bed.registry.labels(image: "acme/shop", tag: "latest")
            #expect(labels["org.opencontainers.image.revision"] == end.commit)
            #expect(labels["org.opencontainers.image.ref.name"] == "main")
            #expect(labels["org.opencontainers.image.source"] == bed.git.bare)
            for tag in ["latest", "main-" + (end.commit ?? "").prefix(7), end.commitTag ?? ""] {
                #expect(try await bed.registry.manifest("acme/shop", tag)?.digest == end.digest)
            }
            // A fault in the Dockerfile names its line.
            try bed.git.write("ops/Dockerfile", "FROM scratch AS wanted\nCOPY gone /\n")
            let failed = try await bed.service.wait(for: try await bed.push("broken").id)
            #expect(failed.state == "failed")
            #expect(failed.errorKind == "build")
            #expect(failed.error.contains("line 2"), "\(failed.error)")
            try await bed.expectNothingLeft()
            await bed.stop()
        }
    }
}
