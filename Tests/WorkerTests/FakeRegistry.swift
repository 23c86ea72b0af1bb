import Foundation
import Model
import Platform
import Registry
import Synchronization
import TestSupport

/// A registry of manifests and tags in memory, whose answers a test may spoil.
final class FakeRegistry: Sendable {
    private static let type = "application/vnd.oci.image.manifest.v1+json"

    private struct State {
        var manifests: [String: String] = [:]
        var tags: [String: String] = [:]
        var spoiled: @Sendable (ScriptedServer.Request) -> ScriptedServer.Reply? = { _ in nil }
    }

    private let content: Content
    private let server: ScriptedServer

    var host: String { server.host }
    var requests: [ScriptedServer.Request] { server.requests }
    /// The last parts of the addresses that something was put to.
    var puts: [String] { requests.filter { $0.method == "PUT" }.map { Content.reference($0) } }

    init() throws {
        let content = Content()
        self.content = content
        server = try ScriptedServer { content.answer($0) }
    }

    deinit { server.stop() }

    /// What to answer instead; nil answers as ever.
    func spoil(_ spoiled: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Reply?) {
        content.state.withLock { $0.spoiled = spoiled }
    }

    subscript(tag: String) -> String? {
        get { content.state.withLock { $0.tags[tag] } }
        set { content.state.withLock { $0.tags[tag] = newValue } }
    }

    func forget(_ digest: Digest) { content.state.withLock { $0.manifests[digest.text] = nil } }

    /// A manifest that is like no other, as if an engine had pushed it.
    func push(_ text: String) throws -> Manifest {
        let body = "{\"schemaVersion\":2,\"mediaType\":\"\(Self.type)\",\"annotations\":{\"text\":\"\(text)\"}}"
        let digest = content.keep(body)
        return Manifest(mediaType: Self.type, body: Data(body.utf8), digest: try Digest(digest))
    }

    private final class Content: Sendable {
        let state = Mutex(State())

        static func reference(_ request: ScriptedServer.Request) -> String {
            request.target.split(separator: "/").last.map(String.init) ?? ""
        }

        func keep(_ body: String) -> String {
            let digest = "sha256:" + Crypto.sha256(Data(body.utf8)).hex
            state.withLock { $0.manifests[digest] = body }
            return digest
        }

        func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Reply {
            let spoiled = state.withLock(\.spoiled)
            if let reply = spoiled(request) { return reply }
            let name = Self.reference(request)
            if request.method == "PUT" {
                let digest = keep(String(decoding: request.body, as: UTF8.self))
                state.withLock { $0.tags[name] = digest }
                return .answer(201, [("Docker-Content-Digest", digest)])
            }
            let digest = state.withLock { $0.tags[name] } ?? name
            guard let body = state.withLock({ $0.manifests[digest] }) else { return .answer(404) }
            return .answer(200, [("Content-Type", FakeRegistry.type), ("Docker-Content-Digest", digest)], body)
        }
    }
}
