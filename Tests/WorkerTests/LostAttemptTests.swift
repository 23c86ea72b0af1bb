import Checkout
import Engine
import Foundation
import Model
import Platform
import Queue
import Registry
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Worker

/// An attempt that was lost between the push of its image and the end of its build.
@Suite struct LostAttemptTests {
    /// Counts what it is asked for; the registry of these tests has the image already, or never will.
    private final class CountingEngine: Engine {
        let name = "counting"
        let builds = Mutex(0)

        func build(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {
            builds.withLock { $0 += 1 }
        }

        func push(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {}
    }

    private static let manifest = "{\"schemaVersion\":2,\"mediaType\":\"\(mediaType)\"}"
    private static let mediaType = "application/vnd.oci.image.manifest.v1+json"

    /// A registry that has this manifest under every name.
    private func registry() throws -> ScriptedServer {
        let digest = "sha256:" + Crypto.sha256(Data(Self.manifest.utf8)).hex
        let headers = [("Content-Type", Self.mediaType), ("Docker-Content-Digest", digest)]
        return try ScriptedServer { request in
            switch request.method {
            case "PUT": .answer(201, headers)
            case "HEAD": .answer(200, headers)
            default: .answer(200, headers, Self.manifest)
            }
        }
    }

    /// Takes the one build to its end, after a first attempt that went as far as `lose` says.
    private func run(lose: (any Store, Build, Model.Tag) async throws -> Void) async throws -> (Build, builds: Int) {
        let folder = try TemporaryDirectory()
        let git = try GitProject(in: folder.path)
        try git.write("Dockerfile", "FROM scratch\n")
        let commit = try CommitID(git.commit())
        try git.push()
        let server = try registry()
        defer { server.stop() }
        let name = try RepositoryName("acme/shop")
        let rule = Rule(
            number: 1, source: .branch(try Pattern("main")), tags: [try Template("latest")],
            commitTag: try Template("sha-{sha12}"))
        let image = try ImageName("\(server.host)/acme/shop")
        let settings = Settings(
            data: folder.path, workers: 1, registries: [server.host: RegistrySettings(insecure: true)],
            repositories: [Repository(name: name, source: try GitSource(git.bare), image: image, rules: [rule])])
        let store = try await SQLiteStore.open(path: folder["slipway.sqlite"], time: SystemTime())
        let push = Push(ref: try RefName(.branch, "main"), commit: commit, message: "A change", author: "Ada")
        let names = try rule.names(for: push.ref, captures: ["main"], commit: commit, acceptedAt: Date())
        _ = try await store.accept(
            NewDelivery(
                repository: name, kind: .api, remoteAddress: "127.0.0.1", receivedAt: Date(),
                builds: [
                    NewBuild(repository: name, push: push, rule: rule, captures: ["main"], image: image, names: names)
                ]))
        try await lose(
            store, try #require(try await store.claim(limit: 1, worker: "lost", lease: .seconds(60)).first),
            names.commitTag)
        _ = try await store.rescue(all: true)

        let engine = CountingEngine()
        let log = Log(sink: { _ in })
        let tools = Tools(
            settings: settings, store: store, mirrors: Mirrors(directory: folder["mirrors"], log: log),
            workspaces: Workspaces(data: folder.path),
            registry: try RegistryClient(settings: settings, environment: [:], userAgent: "test"), time: SystemTime(),
            log: log)
        let worker = Worker(tools: tools, name: "w", engine: EngineFinder(log: log) { engine }, grace: .seconds(30))
        let changes = store.changes(.build(1))
        await worker.run {
            // Until the build has ended, or the deadline passes.
            _ = await withDeadline(.seconds(30)) {
                for await _ in changes {
                    if (try? await store.build(1))??.state.isEnd ?? true { return }
                }
            }
        }
        return (try #require(try await store.build(1)), engine.builds.withLock { $0 })
    }

    @Test func whatItPushedIsNotBuiltAgain() async throws {
        let (build, builds) = try await run { store, lost, commitTag in
            try await store.startPushing(lost.hold, commitTag: commitTag)
        }
        #expect(build.state == .finished, "\(build)")
        #expect(build.attempt == 2)
        #expect(builds == 0)
        #expect(build.tags.map(\.moved) == [true])
    }

    /// What lies under the tag is nobody's business where this build has never begun to push.
    @Test func whatItDidNotPushIsBuilt() async throws {
        let (build, builds) = try await run { _, _, _ in }
        #expect(build.state == .finished, "\(build)")
        #expect(build.attempt == 2)
        #expect(builds == 1)
    }
}
