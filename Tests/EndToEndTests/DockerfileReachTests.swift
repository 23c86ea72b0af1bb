import Engine
import Foundation
import Model
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// What a Dockerfile can't read of the machine and of the service, with each engine and isolation.
    @Suite(.dockerDaemon, .enabled(if: BaseImage.isAvailable, "needs the Debian package busybox-static"))
    struct DockerfileReachTests {
        typealias Builder = EngineTests.Builder

        /// Stands in everything that a RUN step must not read.
        private static let mark = "mark-\(Crypto.randomBytes(8).hex)"
        private static let secrets = [
            "SLIPWAY_TOKEN", "SLIPWAY_REGISTRY_PASSWORD", "GIT_TOKEN", "REGISTRY_PASSWORD", "AWS_SECRET_ACCESS_KEY",
            "DATABASE_URL", "KUBECONFIG", "OPS",
        ]

        private func output(
            _ builder: Builder, _ isolation: String, environment: [String: String] = [:],
            _ prepare: @Sendable (Workshop) throws -> Void
        ) async throws -> String {
            let seen = Output()
            let given = isolation.isEmpty ? environment : environment.merging(["BUILDAH_ISOLATION": isolation]) { $1 }
            try await Workshop.open(builder, adding: given) { shop in
                try prepare(shop)
                var build = shop.build(tag: "reach")
                build.cache = false
                // What base images and pushes need lies in a file while the Dockerfile's steps run.
                build.logins["other.example.com"] = Login(username: "ci", password: Secret(Self.mark))
                do {
                    try await shop.engine.build(build, scratch: shop.scratch) { data in
                        await seen.add(data)
                        // The builder's own environment, while it runs.
                        for process in try shop.processes(with: shop.folder) {
                            let own = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
                            if process != "\(getpid())" { await seen.add(own) }
                        }
                    }
                } catch let failure as Failure {
                    await seen.add(Data(failure.message.utf8))
                }
                #expect(shop.scratchIsEmpty)
            }
            return await seen.text
        }

        private actor Output {
            private(set) var text = ""
            func add(_ data: Data) { text += String(decoding: data, as: UTF8.self) }
        }

        @Test(.timeLimit(.minutes(6)), arguments: BuildLimitsTests.all)
        func theEnvironmentHoldsNothingOfTheService(_ builder: Builder, _ isolation: String) async throws {
            let secrets = Dictionary(uniqueKeysWithValues: Self.secrets.map { ($0, Self.mark) })
            let environment = secrets.merging(["http_proxy": "http://127.0.0.1:9/"]) { $1 }
            let text = try await output(builder, isolation, environment: environment.merging(["no_proxy": "*"]) { $1 })
            {
                shop in
                shop.write("Dockerfile", "FROM \(shop.base)\nRUN env; echo looked\n")
            }
            #expect(text.contains("looked"), "\(text)")
            #expect(!text.contains(Self.mark), "\(text)")
            for name in Self.secrets { #expect(!text.contains(name + "="), "\(text)") }
            // The engine's own, of which buildah and podman hand proxies on to the steps.
            if builder == .buildah || builder == .podman { #expect(text.contains("http_proxy=http://127.0.0.1:9/")) }
        }

        @Test(.timeLimit(.minutes(6)), arguments: BuildLimitsTests.all)
        func theLoginsOfRegistriesCannotBeRead(_ builder: Builder, _ isolation: String) async throws {
            let text = try await output(builder, isolation) { shop in
                // By every process that a step sees, its environment, its root and its files; and by the path itself.
                shop.write(
                    "Dockerfile",
                    """
                    FROM \(shop.base)
                    RUN for p in /proc/[0-9]*; do \
                          tr '\\0' '\\n' <$p/environ; cat $p/root\(shop.scratch)/*/* $p/fd/* </dev/null & \
                          looked=$!; done 2>/dev/null; sleep 1; kill $(jobs -p) 2>/dev/null; \
                        find / -xdev -name 'auth.json' -o -xdev -name 'config.json' | xargs cat; \
                        cat \(shop.scratch)/*/*; echo looked
                    """)
            }
            #expect(text.contains("looked"), "\(text)")
            let encoded = Data("ci:\(Self.mark)".utf8).base64EncodedString()
            #expect(!text.contains(Self.mark) && !text.contains(encoded), "\(text)")
        }

        @Test(.timeLimit(.minutes(6)), arguments: BuildLimitsTests.all)
        func linksInTheContextLeadNowhere(_ builder: Builder, _ isolation: String) async throws {
            let text = try await output(builder, isolation) { shop in
                let outside = shop.folder + "/outside"
                try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
                try Data(Self.mark.utf8).write(to: URL(fileURLWithPath: outside + "/secret"))
                for (name, target) in [
                    ("absolute", outside + "/secret"), ("relative", "../outside/secret"), ("folder", "../outside"),
                ] {
                    try FileManager.default.createSymbolicLink(
                        atPath: "\(shop.folder)/workspace/\(name)", withDestinationPath: target)
                }
                shop.write(
                    "Dockerfile",
                    "FROM \(shop.base)\nCOPY . /all/\nRUN cat /all/absolute /all/relative /all/folder/secret; echo looked\n"
                )
            }
            #expect(text.contains("looked"), "\(text)")
            #expect(!text.contains(Self.mark), "\(text)")
        }

        @Test(
            .timeLimit(.minutes(6)), arguments: BuildLimitsTests.all,
            ["COPY absolute /x", "ADD relative /x", "COPY folder/secret /x", "COPY ../outside/secret /x"])
        func oneFileByALinkIsNotCopied(_ engine: (Builder, String), _ instruction: String) async throws {
            let text = try await output(engine.0, engine.1) { shop in
                let outside = shop.folder + "/outside"
                try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
                try Data(Self.mark.utf8).write(to: URL(fileURLWithPath: outside + "/secret"))
                for (name, target) in [
                    ("absolute", outside + "/secret"), ("relative", "../outside/secret"), ("folder", "../outside"),
                ] {
                    try FileManager.default.createSymbolicLink(
                        atPath: "\(shop.folder)/workspace/\(name)", withDestinationPath: target)
                }
                shop.write("Dockerfile", "FROM \(shop.base)\n\(instruction)\nRUN cat /x /x/secret; echo looked\n")
            }
            #expect(!text.isEmpty)
            #expect(!text.contains(Self.mark), "\(text)")
        }

        @Test(.timeLimit(.minutes(6)), arguments: BuildLimitsTests.inGroups)
        func aDockerfileIsNotPreprocessed(_ builder: Builder) async throws {
            let seen = Output()
            try await Workshop.open(builder) { shop in
                let secret = shop.folder + "/secret"
                try Data("RUN echo \(Self.mark)\n".utf8).write(to: URL(fileURLWithPath: secret))
                // By the suffix buildah would give it to cpp, with which this line is a file of the machine.
                shop.write("Dockerfile.in", "FROM \(shop.base)\n#include \"\(secret)\"\nRUN echo looked\n")
                try await shop.engine.build(shop.build("Dockerfile.in", tag: "in"), scratch: shop.scratch) {
                    await seen.add($0)
                }
            }
            let text = await seen.text
            #expect(text.contains("looked"))
            #expect(!text.contains(Self.mark), "\(text)")
        }
    }
}
