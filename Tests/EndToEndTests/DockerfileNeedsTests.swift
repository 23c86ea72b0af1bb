import Engine
import Foundation
import Model
import TestSupport
import Testing

extension EndToEnd {
    /// Whether builders take the images that are read out of a Dockerfile.
    @Suite(.dockerDaemon, .enabled(if: BaseImage.isAvailable, "needs the Debian package busybox-static"))
    struct DockerfileNeedsTests {
        /// A Dockerfile whose last image is the one that it builds on; R is the registry.
        private struct Row {
            let text: String
            var args: [String: String] = [:]
            var target: String?
            /// `name:tag` of the last image.
            let image: String
            var on: [BuilderKind] = BuilderKind.allCases

            init(
                _ text: String, args: [String: String] = [:], target: String? = nil, _ image: String,
                on: [BuilderKind] = BuilderKind.allCases
            ) {
                (self.text, self.args, self.target, self.image, self.on) = (text, args, target, image, on)
            }
        }

        #if arch(arm64)
            private static let architecture = "arm64"
        #else
            private static let architecture = "amd64"
        #endif

        private static let images = [
            "one:1", "one:2", "one:latest", "one:1-slim", "one:12", "one:x-y", "one:z-y", "two:1",
            "one:linux-\(architecture)",
        ]

        private static let rows: [Row] = [
            Row("FROM R/one", "one:latest"),
            Row("ARG V=1\nFROM R/one:$V", "one:1"),
            Row("ARG V=1\nFROM R/one:${V}", args: ["V": "2"], "one:2"),
            Row("ARG V\nFROM R/one:${V}", args: ["V": "2", "W": "3"], "one:2"),
            Row("ARG V=\"1\"\nFROM \"R/one:$V\"", "one:1"),
            Row("ARG V='2'\nFROM R/one:$V", "one:2"),
            Row("ARG A=x\nARG B=${A}-y\nFROM R/one:$B", "one:x-y"),
            Row("ARG A=x\nARG B=${A}-y\nFROM R/one:$B", args: ["A": "z"], "one:z-y"),
            Row("ARG A=1\nARG A=2\nFROM R/one:$A", "one:2"),
            Row("ARG A=1 B=2\nFROM R/one:$A$B", "one:12"),
            Row("ARG A\nFROM R/one:${A:-2}", "one:2"),
            Row("ARG A=\nFROM R/one:${A:-2}", "one:2"),
            Row("ARG A=1\nFROM R/one:1${A:+-slim}", "one:1-slim"),
            Row("ARG A\nFROM R/one:1${A:+-slim}", "one:1"),
            Row("ARG A\nARG B=x\nFROM R/one:${A:-${B}-y}", "one:x-y"),
            Row("ARG R=R/two\nFROM $R:1", "two:1"),
            Row("ARG V=1\nFROM R/two:$V AS a\nARG V=2\nFROM R/one:$V", "one:1"),
            Row("FROM R/one:2 AS two\nFROM R/one:1 AS last\nLABEL a=b\nFROM R/two:1", target: "last", "one:1"),
            Row("FROM R/two:1\nFROM R/one:1\nFROM R/one:2", target: "1", "one:1", on: [.buildah, .podman]),
            Row("FROM R/one:1 AS a\nFROM a AS b\nFROM b", "one:1"),
            Row("FROM R/two:1 AS one\nFROM R/one:1 AS two\nFROM two", "one:1"),
            Row("# escape=\\\n\n  FR\\\nOM R/o\\\n# not this\n\nne:1 \\\n  AS x\n", "one:1"),
            Row(
                "ARG V=2\nFROM R/one:1 AS x\nFROM R/two:1 AS two\nARG V\nLABEL v=$V\nFROM x AS y\nFROM R/one:$V AS z",
                "one:2"),
            Row("FROM R/one:$TARGETOS-${TARGETARCH}", "one:linux-\(architecture)", on: [.buildKit]),
            Row("FROM --platform=$BUILDPLATFORM R/one:1", "one:1", on: [.buildKit, .buildah, .podman]),
            Row("ARG S=x\nFROM R/two:1\nFROM R/one:1 AS X\nFROM $S", "one:1", on: [.buildKit, .classic]),
        ]

        @Test(.timeLimit(.minutes(5)), arguments: EngineTests.available)
        func buildersTakeTheImagesThatWereRead(_ builder: EngineTests.Builder) async throws {
            try await Workshop.open(builder) { shop in
                let registry = shop.registry.address
                for image in Self.images {
                    let parts = image.split(separator: ":").map(String.init)
                    _ = try await BaseImage.push(
                        to: registry, name: parts[0], tag: parts[1], labels: ["it-is": image])
                }
                for (number, row) in Self.rows.enumerated() where row.on.contains(shop.engine.kind) {
                    let text = row.text.replacing("R/", with: registry + "/")
                    let needs = DockerfileNeeds(
                        text, buildArgs: row.args, target: row.target, engine: shop.engine.kind)
                    #expect(needs.doubts.isEmpty, "\(row.text)")
                    #expect(needs.images.last?.text == "\(registry)/\(row.image)", "\(row.text)")
                    shop.write("Dockerfile", text)
                    var build = shop.build(tag: "row-\(number)")
                    build.buildArgs = row.args
                    build.target = row.target
                    do {
                        try await shop.buildAndPush(build)
                        let labels = try await shop.pull("row-\(number)").labels
                        #expect(labels["it-is"] == row.image, "\(row.text)")
                    } catch {
                        Issue.record("\(row.text): \(error)")
                    }
                }
            }
        }
    }
}
