import Engine
import Foundation
import Model
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Limits that a rule sets, and what a Dockerfile reaches, with each engine.
    @Suite(.dockerDaemon, .enabled(if: BaseImage.isAvailable, "needs the Debian package busybox-static"))
    struct BuildLimitsTests {
        typealias Builder = EngineTests.Builder

        static var available: [Builder] { EngineTests.available }
        static var inGroups: [Builder] { available.filter { $0 == .buildah || $0 == .podman } }

        /// Engines with the isolation that they have by themselves, and buildah and podman with chroot's.
        static var all: [(Builder, String)] {
            available.map { ($0, "") } + inGroups.map { ($0, "chroot") }
        }

        private func open(
            _ builder: Builder, _ isolation: String, _ body: @Sendable (Workshop) async throws -> Void
        ) async throws {
            let more = isolation.isEmpty ? [:] : ["BUILDAH_ISOLATION": isolation]
            try await Workshop.open(builder, adding: more, body)
        }

        private func failure(_ shop: Workshop, _ limits: Rule.Limits, _ dockerfile: String) async -> Failure? {
            shop.write("Dockerfile", dockerfile)
            var build = shop.build(tag: "limited")
            build.limits = limits
            do {
                try await shop.engine.build(build, scratch: shop.scratch) { _ in }
                return nil
            } catch let failure as Failure {
                return failure
            } catch {
                Issue.record(error)
                return nil
            }
        }

        @Test(.timeLimit(.minutes(6)), arguments: all)
        func memoryIsLimited(_ builder: Builder, _ isolation: String) async throws {
            try await open(builder, isolation) { shop in
                let greedy = "FROM \(shop.base)\nRUN true\nRUN tail /dev/zero\n"
                let failed = await failure(shop, Rule.Limits(memory: 256 << 20), greedy)
                #expect(failed?.kind == .build)
                if builder == .buildKit {
                    #expect(failed?.message.contains("docker's BuildKit holds no build") == true)
                } else {
                    let words = "Dockerfile line 3 (RUN tail /dev/zero): the rule's memory limit of 256 MiB was reached"
                    #expect(failed?.message.contains(words) == true, "\(failed?.message ?? "it was built")")
                }
                #expect(groupsLeft.isEmpty)
            }
        }

        @Test(.timeLimit(.minutes(6)), arguments: all)
        func processesAreLimited(_ builder: Builder, _ isolation: String) async throws {
            try await open(builder, isolation) { shop in
                let many = "FROM \(shop.base)\nRUN for i in $(seq 200); do sleep 20 & done; wait\n"
                let failed = await failure(shop, Rule.Limits(processes: 100), many)
                #expect(failed?.kind == .build)
                switch builder {
                case .buildKit, .classic:
                    #expect(failed?.message.contains("limits processes, to which docker holds no build") == true)
                case .buildah, .podman:
                    let words = "the rule's limit of 100 processes was reached"
                    #expect(failed?.message.contains(words) == true, "\(failed?.message ?? "it was built")")
                }
                #expect(groupsLeft.isEmpty)
            }
        }

        @Test(.timeLimit(.minutes(6)), arguments: all)
        func processorsAreLimited(_ builder: Builder, _ isolation: String) async throws {
            try await open(builder, isolation) { shop in
                // The group's own file says what holds; inside a container it is at the top.
                let look = """
                    FROM \(shop.base)
                    RUN own=$(sed -n 's/^[0-9]*:[^:]*\\bcpu\\b[^:]*://p' /proc/self/cgroup); \
                        while [ -n "$own" ]; do \
                          cat /sys/fs/cgroup/cpu$own/cpu.cfs_quota_us /sys/fs/cgroup/cpu,cpuacct$own/cpu.cfs_quota_us; \
                          own=${own%/*}; done 2>/dev/null; \
                        cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null; exit 3
                    """
                let failed = await failure(shop, Rule.Limits(cpus: 0.75), look)
                #expect(failed?.kind == .build)
                if builder == .buildKit {
                    #expect(failed?.message.contains("limits cpus, to which docker's BuildKit holds no build") == true)
                } else if builder == .classic || isolation == "chroot" {
                    #expect(failed?.message.contains("75000") == true, "\(failed?.message ?? "it was built")")
                } else {
                    // The container is in a group below the limited one, which it can't see.
                    #expect(failed?.message.contains("exit code 3") == true, "\(failed?.message ?? "it was built")")
                }
            }
        }

        @Test(.timeLimit(.minutes(6)), arguments: all)
        func theNetworkCanBeTakenAway(_ builder: Builder, _ isolation: String) async throws {
            try await open(builder, isolation) { shop in
                let look = "FROM \(shop.base)\nRUN ip -o link | grep -qv LOOPBACK && exit 4; exit 5\n"
                let failed = await failure(shop, Rule.Limits(network: .none), look)
                #expect(failed?.kind == .build)
                if isolation == "chroot" {
                    #expect(failed?.message.contains("use the machine's network") == true, "\(failed?.message ?? "")")
                } else {
                    #expect(failed?.message.contains("exit code 5") == true, "\(failed?.message ?? "it was built")")
                }
                let open = await failure(shop, Rule.Limits(), look)
                #expect(open?.message.contains("exit code 4") == true, "\(open?.message ?? "it was built")")
            }
        }

        @Test(.timeLimit(.minutes(6)), arguments: all)
        func withinItsLimitsABuildIsGood(_ builder: Builder, _ isolation: String) async throws {
            try await open(builder, isolation) { shop in
                shop.write("Dockerfile", "FROM \(shop.base)\nRUN echo good > /good\n")
                var build = shop.build(tag: "good")
                build.limits = Rule.Limits(
                    memory: builder == .buildKit ? nil : 512 << 20, cpus: builder == .buildKit ? nil : 1.5,
                    processes: Self.inGroups.contains(builder) ? 500 : nil,
                    network: isolation == "chroot" ? .default : .none)
                try await shop.buildAndPush(build)
                #expect(try await shop.pull("good").file("good") == "good\n")
                #expect(groupsLeft.isEmpty)
            }
        }

        @Test(.timeLimit(.minutes(6)))
        func checkNamesALimitThatTheEngineCannotHold() async throws {
            let folder = try TemporaryDirectory()
            func check(_ engine: String, _ limit: String, _ options: String...) async throws -> CommandLineRun {
                let file = try folder.write(
                    """
                    engine: \(engine)
                    repositories:
                      acme/shop:
                        source: \(folder["none"])
                        image: 127.0.0.1:1/acme/shop
                        rules: [{branch: main, tags: latest, \(limit)}]
                    """, to: "slipway.yaml")
                return try await CommandLineRun(["check", "--config", file] + options)
            }
            let refused = try await check("docker", "processes: 64")
            #expect(refused.status == 1)
            #expect(refused.text.contains("acme/shop, rule 1: the rule limits processes"), "\(refused.text)")
            for (engine, limit) in [("auto", "processes: 64"), ("buildah", "processes: 64"), ("docker", "cpus: 1")] {
                #expect(try await check(engine, limit).status == 0)
            }
        }

        /// The program's exit code, and all that it wrote.
        struct CommandLineRun {
            let status: Int32
            let text: String

            init(_ arguments: [String]) async throws {
                do {
                    text = try await TestSupport.Command.run(Service.program, arguments)
                    status = 0
                } catch let failed as TestSupport.Command.Failed {
                    (status, text) = (failed.status, failed.errors)
                }
            }
        }

        /// Groups of builds that are still there.
        private var groupsLeft: [String] {
            ["memory", "pids", "cpu"].flatMap { name in
                let entries = FileManager.default.enumerator(atPath: "/sys/fs/cgroup/" + name)
                return entries?.compactMap { $0 as? String }.filter { $0.contains("slipway-build-\(getpid())-") } ?? []
            }
        }
    }
}
