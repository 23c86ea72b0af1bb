import Checkout
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

/// A store with builds in many states, and the tools of what keeps it small.
struct Cellar: Sendable {
    static let image = "registry.example.com/acme/shop"

    let folder: TemporaryDirectory
    let time: ManualTime
    let store: DatabaseStore
    let log = Lines()

    init() async throws {
        folder = try TemporaryDirectory()
        time = ManualTime()
        store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: time)
    }

    func tools(_ settings: Settings = Settings()) throws -> Tools {
        var settings = settings
        settings.data = folder.path
        let log = Log(threshold: .debug) { [log] in log.append($0) }
        return Tools(
            settings: LiveSettings(settings), store: store, mirrors: Mirrors(directory: folder["mirrors"], log: log),
            workspaces: Workspaces(data: folder.path),
            registry: try RegistryClient(settings: LiveSettings(settings), environment: [:], userAgent: "test"),
            time: time, log: log)
    }

    func finder(_ engine: StorageEngine) async throws -> EngineFinder {
        let finder = EngineFinder(log: Log { _ in }) { engine }
        _ = await finder.engine()
        return finder
    }

    func cleaner(_ engine: StorageEngine) async throws -> ImageCleaner {
        ImageCleaner(
            store: store, engine: try await finder(engine), log: Log(threshold: .debug) { [log] in log.append($0) },
            page: 2)
    }

    /// Accepts a push of the commit with this number.
    @discardableResult
    func push(_ number: Int, rule: Int = 1, force: Bool = false) async throws -> Build {
        let rule = Rule(
            number: rule, source: .branch(try Pattern("main")), tags: [try Template("latest")],
            commitTag: try Template("sha-{sha12}-\(rule)"))
        let commit = try CommitID(String(format: "%012x%028x", number, number))
        let push = Push(ref: try RefName("refs/heads/main"), commit: commit, message: "A push", author: "Ada")
        let names = try rule.names(for: push.ref, captures: ["main"], commit: commit, acceptedAt: time.now)
        var delivery = NewDelivery(
            repository: try RepositoryName("acme/shop"), kind: .webhook, remoteAddress: "127.0.0.1",
            receivedAt: time.now,
            builds: [
                NewBuild(
                    repository: try RepositoryName("acme/shop"), push: push, rule: rule, captures: ["main"],
                    image: try ImageName(Self.image), names: names)
            ])
        delivery.force = force
        return try #require(try await store.accept(delivery).builds.first)
    }

    /// Takes the oldest pending build to its end.
    @discardableResult
    func end() async throws -> Build {
        let build = try await claim()
        try await store.fail(build.hold, Failure(.build, .build, "it failed"))
        return build
    }

    func claim() async throws -> Build {
        try #require(try await store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
    }

    /// What the engine calls the image of a commit.
    func name(_ number: Int, rule: Int = 1) throws -> String {
        "\(Self.image):sha-\(String(format: "%012x%028x", number, number).prefix(12))-\(rule)"
    }
}

final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    func append(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock(\.self) }
}
