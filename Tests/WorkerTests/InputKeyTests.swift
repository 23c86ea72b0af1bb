import Foundation
import Model
import Testing

@testable import Worker

struct InputKeyTests {
    private static let digests = sure(
        try ["a", "b"].map { try Digest("sha256:" + String(repeating: $0, count: 64)) })

    private static func image(_ text: String, _ digest: Digest = digests[0]) -> (ImageReference, Digest) {
        (sure(try ImageReference(text)), digest)
    }

    private static var key: InputKey {
        InputKey(
            engine: .buildKit, platform: "linux/amd64", dockerfile: Data("FROM base\n".utf8), context: digests[0],
            target: "release", arguments: ["A": "1", "B": "2"], network: .default,
            images: [image("localhost:5000/base:1"), image("localhost:5000/tool:2", digests[1])])
    }

    @Test func theSameIsTheSame() throws {
        var other = Self.key
        other.arguments = ["B": "2", "A": "1"]
        #expect(try Self.key.digest() == other.digest())
        #expect(try Self.key.digest().text.hasPrefix("sha256:"))
    }

    /// A key that is kept in the database must be that of the next version of Slipway, or the version be another.
    @Test func aKeyStaysWhatItIs() throws {
        #expect(InputKey.version == 1)
        #expect(
            try Self.key.digest().text == "sha256:6378b097dadae1e82e79a626520e4fea28993a702c6f5f7cbd0657776a85c4e7")
    }

    @Test func everyPartCounts() throws {
        let changes: [(String, (inout InputKey) -> Void)] = [
            ("none", { _ in }),
            ("engine", { $0.engine = .classic }),
            ("platform", { $0.platform = "linux/arm64" }),
            ("dockerfile", { $0.dockerfile += Data("\n".utf8) }),
            ("context", { $0.context = Self.digests[1] }),
            ("another target", { $0.target = "test" }),
            ("no target", { $0.target = nil }),
            ("an empty target", { $0.target = "" }),
            ("another argument", { $0.arguments["C"] = "" }),
            ("one argument less", { $0.arguments["A"] = nil }),
            ("an argument's value", { $0.arguments["A"] = "2" }),
            ("where a value begins", { $0.arguments = ["A1": "", "B": "2"] }),
            ("values changed over", { $0.arguments = ["A": "2", "B": "1"] }),
            ("network", { $0.network = .none }),
            ("a base image that moved", { $0.images[0].digest = Self.digests[1] }),
            ("another base image", { $0.images[0] = Self.image("localhost:5000/base:2") }),
            ("base images changed over", { $0.images.reverse() }),
            (
                "digests changed over",
                {
                    ($0.images[0].digest, $0.images[1].digest) = ($0.images[1].digest, $0.images[0].digest)
                }
            ),
            ("one base image less", { $0.images.removeLast() }),
            // What one part loses the next one has.
            (
                "the target in the Dockerfile",
                {
                    $0.dockerfile += Data("release".utf8)
                    $0.target = ""
                }
            ),
        ]
        var seen: [Digest: String] = [:]
        for (name, change) in changes {
            var key = Self.key
            change(&key)
            let digest = try key.digest()
            #expect(seen[digest] == nil, "\(name) has the key of \(seen[digest] ?? "")")
            seen[digest] = name
        }
    }
}
