import Foundation
import Model
import Platform
import TestSupport
import Testing

@testable import Checkout

extension EndToEnd {
    /// What the engines themselves make of the ignore files of the table, entry for entry.
    @Suite(.dockerDaemon)
    struct IgnoreTests {
        @Test(.enabled(if: Bench.isHere(.buildKit), "needs root, and docker 20.10 or docker with buildx"))
        func buildKitSeesWhatWeSay() async throws { try await compare(.buildKit) }

        @Test(.enabled(if: DockerDaemon.isAvailable, "needs root and the Debian packages docker.io and iptables"))
        func theClassicBuilderSeesWhatWeSay() async throws { try await compare(.classic) }

        @Test(.enabled(if: Bench.isHere(.buildah), "needs the Debian package buildah"))
        func buildahSeesWhatWeSay() async throws { try await compare(.buildah) }

        /// A part of the table: it is buildah's code.
        @Test(.enabled(if: Bench.isHere(.podman), "needs the Debian package podman"))
        func podmanSeesWhatWeSay() async throws { try await compare(.podman, each: 8) }

        private func compare(_ engine: BuilderKind, each step: Int = 1) async throws {
            let bench = try Bench(engine)
            let numbers = Array(stride(from: 0, to: IgnoreTable.lists.count, by: step))
            // Several at a time, since most of a build is waiting.
            let width = 4
            try await withThrowingTaskGroup(of: Void.self) { group in
                for first in 0..<width {
                    group.addTask {
                        for number in numbers where number % (width * step) / step == first {
                            try await check(number, bench)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        private func check(_ number: Int, _ bench: Bench) async throws {
            let list = IgnoreTable.lists[number]
            let file = IgnoreFile(list, engine: bench.engine, dockerfile: "ops/Dockerfile")
            let said = IgnoreTable.sights { path, isFolder in
                let sight = file.sight(of: path, isDirectory: isFolder)
                return (sight == .seen, sight == .unsure, file.mayTakeIn(below: path))
            }
            guard let found = try await bench.build(list, number) else {
                // A list that an engine refuses is one of which nothing is said.
                #expect(said.seen.isEmpty, "\(bench.engine) refuses \(list.debugDescription)")
                return
            }
            let missing = said.seen.subtracting(found).sorted()
            #expect(missing.isEmpty, "\(bench.engine) does not see, with \(list.debugDescription): \(missing)")
            let more = found.subtracting(said.seen.union(said.unsure)).sorted()
            #expect(more.isEmpty, "\(bench.engine) sees, with \(list.debugDescription): \(more)")
        }
    }
}
