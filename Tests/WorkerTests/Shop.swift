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
    let store: DatabaseStore
    let engine = CountingEngine()
    private let rule: Rule
    private let settings: Settings
    private let server: ScriptedServer

    private let pace: Pace

    /// - Parameters:
    ///   - reuse: whether a build may take another's image; not where the engine's builds are counted.
    ///   - answer: what the registry answers instead of having every image; nil for what it answers else.
    init(
        paths: [String] = [], pathsIgnored: [String] = [], cancelRunning: Bool = false, timeout: Int = 3600,
        workers: Int = 1, retries: Int = 5, pace: Pace = .quick, reuse: Bool = false, maxAge: Int? = nil,
        answer: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Reply? = { _ in nil }
    ) async throws {
        self.pace = pace
        folder = try TemporaryDirectory()
        git = try GitProject(in: folder.path)
        try git.write("Dockerfile", "FROM scratch\n")
        server = try Self.registry(answer)
        rule = Rule(
            number: 1, source: .branch(try Pattern("/.*/")), tags: [try Template("latest")],
            commitTag: try Template("sha-{sha12}"), reuse: reuse, maxAge: maxAge, timeout: timeout,
            paths: try paths.map { try Glob($0) },
            pathsIgnored: try pathsIgnored.map { try Glob($0) }, cancelRunning: cancelRunning)
        settings = Settings(
            data: folder.path, workers: workers, retries: retries,
            registries: [server.host: RegistrySettings(insecure: true)],
            repositories: [
                Repository(
                    name: try RepositoryName("acme/shop"), source: try GitSource(git.bare),
                    image: try ImageName("\(server.host)/acme/shop"), rules: [rule])
            ])
        store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
    }

    deinit { server.stop() }

    /// Has this manifest under every name.
    private static func registry(
        _ answer: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Reply?
    ) throws -> ScriptedServer {
        let type = "application/vnd.oci.image.manifest.v1+json"
        let manifest = "{\"schemaVersion\":2,\"mediaType\":\"\(type)\"}"
        let digest = "sha256:" + Crypto.sha256(Data(manifest.utf8)).hex
        let headers = [("Content-Type", type), ("Docker-Content-Digest", digest)]
        return try ScriptedServer { request in
            if let reply = answer(request) { return reply }
            return switch request.method {
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
        try await tell(commit(file, message, to: ref, force: force), on: ref, kind: kind)
    }

    /// Changes a file, or nothing, commits it and pushes it.
    func commit(
        _ file: String?, _ message: String = "A change", to ref: String = "refs/heads/main", force: Bool = false
    ) throws -> CommitID {
        if let file { try git.write(file, UUID().uuidString) }
        let commit = try CommitID(git.commit(message))
        try git.push(ref, force: force)
        return commit
    }

    /// Has a push accepted.
    func tell(
        _ commit: CommitID, on ref: String = "refs/heads/main", kind: Cause.Kind = .webhook,
        commitTag: String = "sha-{sha12}", changing: (inout Rule) -> Void = { _ in }, isFresh: Bool = false
    ) async throws -> Build {
        var rule = rule
        rule.commitTag = try Template(commitTag)
        changing(&rule)
        // The sender says something else than Git: what counts is Git's.
        let push = Push(ref: try RefName(ref), commit: commit, message: "A push", author: "Ada")
        let names = try rule.names(for: push.ref, captures: [push.ref.name], commit: commit, acceptedAt: Date())
        let repository = try #require(settings.repositories.first)
        let accepted = try await store.accept(
            NewDelivery(
                repository: repository.name, kind: kind, remoteAddress: "127.0.0.1", receivedAt: Date(),
                isFresh: isFresh,
                builds: [
                    NewBuild(
                        repository: repository.name, push: push, rule: rule, captures: [push.ref.name],
                        image: repository.image, names: names)
                ]))
        return try #require(accepted.builds.first)
    }

    /// Has a worker take a build to its end.
    func end(of build: Build) async throws -> Build {
        try await work { try await self.wait(for: build) { $0.state.isEnd } }
    }

    /// Waits until something is true of a build, or the deadline passes.
    ///
    /// - Returns: the build as it is then.
    @discardableResult
    func wait(for build: Build, until isSo: @escaping @Sendable (Build) -> Bool) async throws -> Build {
        let changes = store.changes(.build(build.id))
        let found = try await withDeadline(.seconds(60)) { [store] () -> Build? in
            if let now = try await store.build(build.id), isSo(now) { return now }
            for await _ in changes {
                if let now = try await store.build(build.id), isSo(now) { return now }
            }
            return nil
        }
        if let found = found ?? nil { return found }
        return try #require(try await store.build(build.id))
    }

    var tools: Tools {
        get throws {
            let log = Log(sink: { _ in })
            return Tools(
                settings: LiveSettings(settings), store: store,
                mirrors: Mirrors(directory: folder["mirrors"], log: log),
                workspaces: Workspaces(data: folder.path),
                registry: try RegistryClient(settings: LiveSettings(settings), environment: [:], userAgent: "test"),
                time: SystemTime(), log: log)
        }
    }

    /// Has a worker work until the body has ended.
    func work<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let tools = try tools
        let log = tools.log
        let worker = Worker(
            tools: tools, name: "w", engine: EngineFinder(log: log) { [engine] in engine }, grace: .zero, pace: pace)
        let result = Mutex<Result<Value, any Error>?>(nil)
        await worker.run {
            do {
                let value = try await body()
                result.withLock { $0 = .success(value) }
            } catch {
                result.withLock { $0 = .failure(error) }
            }
        }
        let ended = result.withLock { $0 }
        return try #require(ended).get()
    }

    /// Of the registry.
    var host: String { server.host }

    /// What the registry was asked, with this method.
    func asked(_ method: String) -> [ScriptedServer.Request] { server.requests.filter { $0.method == method } }

    func log(of build: Build) async throws -> String {
        String(decoding: try await store.log(build.id, offset: 0, limit: 1 << 20), as: UTF8.self)
    }
}

final class CountingEngine: Engine {
    enum Step {
        case build, push
    }

    let kind = BuilderKind.buildah
    let name = "counting"
    let fails = Mutex(false)
    /// What it has, by reference.
    let images = Mutex<[String: String]>([:])
    private let counts = Mutex<[Step: Int]>([:])
    private let script = Mutex<@Sendable (Step, Int) async throws -> Void>({ _, _ in })

    var count: Int { count(of: .build) }

    func count(of step: Step) -> Int { counts.withLock { $0[step] ?? 0 } }

    /// What each step does, told how many there were of its kind.
    func does(_ script: @escaping @Sendable (Step, Int) async throws -> Void) {
        self.script.withLock { $0 = script }
    }

    func build(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {
        cached.withLock { $0.append(build.cache) }
        try await run(.build)
        if fails.withLock(\.self) { throw Failure(.build, .build, "the engine was told to fail") }
        let id = "sha256:\(count)"
        images.withLock { $0[build.reference] = id }
        if let file = build.idFile { try Data(id.utf8).write(to: URL(fileURLWithPath: file)) }
    }

    /// The base images that it was to take anew.
    let refreshed = Mutex<[ImageReference]>([])
    /// Whether each build might use its cache.
    let cached = Mutex<[Bool]>([])

    func refresh(
        _ image: ImageReference, for build: ImageBuild, scratch: String, output: (Data) async throws -> Void
    ) async throws {
        refreshed.withLock { $0.append(image) }
    }

    func image(_ reference: String) async -> String? { images.withLock { $0[reference] } }

    func push(_ build: ImageBuild, scratch: String, output: (Data) async throws -> Void) async throws {
        try await run(.push)
    }

    private func run(_ step: Step) async throws {
        let count = counts.withLock { counts in
            counts[step, default: 0] += 1
            return counts[step] ?? 0
        }
        try await script.withLock(\.self)(step, count)
    }
}

extension Pace {
    /// Retries without waiting. Leases last as long as the database believes: where hundreds of tests share two cores, a
    /// renewal may come late.
    static var quick: Pace {
        var pace = Pace()
        pace.firstRetry = .milliseconds(10)
        pace.lease = .seconds(300)
        return pace
    }
}

/// Lets a step begin and hold until its attempt is stopped.
final class Holding: Sendable {
    let began = Signal()
    let ended = Signal()

    func hold() async throws {
        began.fire()
        defer { ended.fire() }
        try await Task.sleep(for: .seconds(120))
    }
}
