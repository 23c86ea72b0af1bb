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

/// A repository, a store, and a worker whose engine only counts: the registry has every image already.
final class Shop: Sendable {
    let folder: TemporaryDirectory
    let git: GitProject
    let store: SQLiteStore
    let engine = CountingEngine()
    private let rule: Rule
    private let settings: Settings
    private let server: ScriptedServer

    init(paths: [String] = [], pathsIgnored: [String] = []) async throws {
        folder = try TemporaryDirectory()
        git = try GitProject(in: folder.path)
        try git.write("Dockerfile", "FROM scratch\n")
        server = try Self.registry()
        rule = Rule(
            number: 1, source: .branch(try Pattern("/.*/")), tags: [try Template("latest")],
            commitTag: try Template("sha-{sha12}"), paths: try paths.map { try Glob($0) },
            pathsIgnored: try pathsIgnored.map { try Glob($0) })
        settings = Settings(
            data: folder.path, workers: 1, registries: [server.host: RegistrySettings(insecure: true)],
            repositories: [
                Repository(
                    name: try RepositoryName("acme/shop"), source: try GitSource(git.bare),
                    image: try ImageName("\(server.host)/acme/shop"), rules: [rule])
            ])
        store = try await SQLiteStore.open(path: folder["slipway.sqlite"], time: SystemTime())
    }

    deinit { server.stop() }

    /// Has this manifest under every name.
    private static func registry() throws -> ScriptedServer {
        let type = "application/vnd.oci.image.manifest.v1+json"
        let manifest = "{\"schemaVersion\":2,\"mediaType\":\"\(type)\"}"
        let digest = "sha256:" + Crypto.sha256(Data(manifest.utf8)).hex
        let headers = [("Content-Type", type), ("Docker-Content-Digest", digest)]
        return try ScriptedServer { request in
            switch request.method {
            case "PUT": .answer(201, headers)
            case "HEAD": .answer(200, headers)
            default: .answer(200, headers, manifest)
            }
        }
    }

    /// Changes a file, or nothing, commits it, pushes it, and has the push accepted.
    func push(
        _ file: String?, _ message: String = "A change", to ref: String = "refs/heads/main", force: Bool = false,
        told kind: Cause.Kind = .webhook
    ) async throws -> Build {
        if let file { try git.write(file, UUID().uuidString) }
        let commit = try CommitID(git.commit(message))
        try git.push(ref, force: force)
        // The sender says something else than Git: what counts is Git's.
        let push = Push(ref: try RefName(ref), commit: commit, message: "A push", author: "Ada")
        let names = try rule.names(for: push.ref, captures: [push.ref.name], commit: commit, acceptedAt: Date())
        let repository = try #require(settings.repositories.first)
        let accepted = try await store.accept(
            NewDelivery(
                repository: repository.name, kind: kind, remoteAddress: "127.0.0.1", receivedAt: Date(),
                builds: [
                    NewBuild(
                        repository: repository.name, push: push, rule: rule, captures: [push.ref.name],
                        image: repository.image, names: names)
                ]))
        return try #require(accepted.builds.first)
    }

    /// Has a worker take the one pending build to its end.
    func end(of build: Build) async throws -> Build {
        let log = Log(sink: { _ in })
        let tools = Tools(
            settings: settings, store: store, mirrors: Mirrors(directory: folder["mirrors"], log: log),
            workspaces: Workspaces(data: folder.path),
            registry: try RegistryClient(settings: settings, environment: [:], userAgent: "test"), time: SystemTime(),
            log: log)
        let worker = Worker(
            tools: tools, name: "w", engine: EngineFinder(log: log) { [engine] in engine }, grace: .seconds(30))
        let changes = store.changes(.build(build.id))
        await worker.run { [store] in
            // Until the build has ended, or the deadline passes.
            _ = await withDeadline(.seconds(30)) {
                for await _ in changes {
                    if (try? await store.build(build.id))??.state.isEnd ?? true { return }
                }
            }
        }
        return try #require(try await store.build(build.id))
    }

    func log(of build: Build) async throws -> String {
        String(decoding: try await store.log(build.id, offset: 0, limit: 1 << 20), as: UTF8.self)
    }
}

final class CountingEngine: Engine {
    let name = "counting"
    let builds = Mutex(0)
    let fails = Mutex(false)

    var count: Int { builds.withLock(\.self) }

    func build(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {
        builds.withLock { $0 += 1 }
        if fails.withLock(\.self) { throw Failure(.build, .build, "the engine was told to fail") }
    }

    func image(_ reference: String) async -> String? { nil }

    func push(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {}
}
