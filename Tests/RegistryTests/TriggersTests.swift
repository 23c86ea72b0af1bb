import Foundation
import Model
import Registry
import TestSupport
import Testing

/// What an image hands on to what is built on it.
@Suite struct TriggersTests {
    private static let index = "application/vnd.oci.image.index.v1+json"
    private static let manifest = "application/vnd.docker.distribution.manifest.v2+json"

    private final class Shelf: Sendable {
        let texts: [String: (type: String, text: String)]

        init(_ texts: [(type: String, text: String)]) {
            self.texts = Dictionary(uniqueKeysWithValues: texts.map { (RegistryClientTests.digest(of: $0.text), $0) })
        }

        @Sendable func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Reply {
            let name = request.target.split(separator: "/").last.map(String.init) ?? ""
            guard let (type, text) = texts[name] else { return .answer(404) }
            return .answer(200, [("Content-Type", type)], text)
        }
    }

    private static func manifest(_ configuration: String) -> String {
        #"{"schemaVersion":2,"config":{"digest":"\#(RegistryClientTests.digest(of: configuration))"}}"#
    }

    private func triggers(_ texts: [(type: String, text: String)], of text: String) async throws -> [String]? {
        let server = try ScriptedServer(Shelf(texts).answer)
        defer { server.stop() }
        return try await RegistryClientTests.client().triggers(
            of: RegistryClientTests.image(server), digest: Digest(RegistryClientTests.digest(of: text)),
            platform: "linux/amd64")
    }

    @Test func ofAnImageAndOfOneInAnIndex() async throws {
        let plain = #"{"config":{"Cmd":["sh"]}}"#
        let other = #"{"config":{"OnBuild":["COPY . /app","RUN make"]}}"#
        let (one, two) = (Self.manifest(plain), Self.manifest(other))
        func entry(_ text: String, _ architecture: String) -> String {
            #"{"digest":"\#(RegistryClientTests.digest(of: text))","platform":{"os":"linux","architecture":"\#(architecture)"}}"#
        }
        let all = #"{"schemaVersion":2,"manifests":[\#(entry(one, "arm64")),\#(entry(two, "amd64"))]}"#
        let foreign = #"{"schemaVersion":2,"manifests":[\#(entry(one, "arm64"))]}"#
        let texts = [
            (Self.manifest, one), (Self.manifest, two), (Self.index, all), (Self.index, foreign), ("", plain),
            ("", other),
        ]
        #expect(try await triggers(texts, of: one) == [])
        #expect(try await triggers(texts, of: two) == ["COPY . /app", "RUN make"])
        #expect(try await triggers(texts, of: all) == ["COPY . /app", "RUN make"])
        let error = await #expect(throws: RegistryError.self) { try await triggers(texts, of: foreign) }
        #expect("\(try #require(error))".contains("for other platforms than linux/amd64"))
    }

    @Test func ofWhatIsNotThereOrIsNoImage() async throws {
        let configuration = #"{"config":null}"#
        let whole = Self.manifest(configuration)
        #expect(try await triggers([], of: whole) == nil)
        #expect(try await triggers([(Self.manifest, whole)], of: whole) == nil)
        #expect(try await triggers([(Self.manifest, whole), ("", configuration)], of: whole) == [])
        for odd in [#"{"schemaVersion":2}"#, #"{"config":{"digest":"x"}}"#, "[]"] {
            await #expect(throws: RegistryError.self, "\(odd)") { try await triggers([(Self.manifest, odd)], of: odd) }
        }
        let words = "no JSON"
        let odd = Self.manifest(words)
        await #expect(throws: RegistryError.self) {
            try await triggers([(Self.manifest, odd), ("", words)], of: odd)
        }
    }
}
