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

/// A real store and a real history, for builds whose images are there already and whose tags are to be moved.
final class Yard: Sendable {
    static let name = sure(try RepositoryName("acme/shop"))

    let folder: TemporaryDirectory
    let git: GitProject
    let store: DatabaseStore
    let mirror: Mirror
    let tools: Tools
    let image: ImageName
    /// What the service said to its operator.
    let said = Said()

    /// - Parameters:
    ///   - time: of the worker and the sweep; the store has its own.
    ///   - managed: whether the settings still know the repository.
    ///   - isShared: whether others may have the queue too; then it is to be closed with `close`.
    init(
        host: String, time: any TimeSource = Unhurried(), sweep: Sweep = Sweep(every: nil), managed: Bool = true,
        sharing: Yard? = nil, isShared: Bool = false
    ) async throws {
        folder = try TemporaryDirectory()
        git = try sharing?.git ?? GitProject(in: folder.path)
        image = try ImageName("\(host)/acme/shop")
        let repository = Repository(name: Self.name, source: try GitSource(git.bare), image: image, rules: [])
        let settings = Settings(
            data: folder.path, sweep: sweep, registries: [host: RegistrySettings(insecure: true)],
            repositories: managed ? [repository] : [])
        if isShared {
            let server = try #require(try await PostgreSQLServer.shared())
            let url = try await server.database(URL(fileURLWithPath: folder.path).lastPathComponent)
            store = try await DatabaseStore.open(postgreSQL: PostgreSQLAddress(url: url))
        } else {
            store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
        }
        let log = Log(sink: { [said] in said.add($0) })
        let mirrors = Mirrors(directory: folder["mirrors"], log: log)
        mirror =
            sharing?.mirror ?? mirrors.mirror(for: Self.name, source: repository.source, credentials: nil)
        tools = Tools(
            settings: LiveSettings(settings), store: store, mirrors: mirrors, workspaces: Workspaces(data: folder.path),
            registry: try RegistryClient(settings: LiveSettings(settings), environment: [:], userAgent: "test"),
            time: time, log: log)
    }

    func close() async throws {
        await store.close()
        try await PostgreSQLServer.shared()?.drop(URL(fileURLWithPath: folder.path).lastPathComponent)
    }

    static func rule(
        _ number: Int = 1, _ source: Rule.Source = .branch(sure(try Pattern("/.*/"))), tags: String...,
        order: Rule.Order = .version
    ) -> Rule {
        Rule(
            number: number, source: source, tags: sure(try tags.map { try Template($0) }),
            commitTag: sure(try Template("sha-{sha12}")), order: order)
    }

    static let tagRule = rule(2, .tag(sure(try Pattern("/.*/"))), tags: "{major}.{minor}", "latest")

    /// A commit after the last one, held by the mirror.
    func commit() async throws -> CommitID {
        // Two on the same one within a second would be one commit.
        let commit = try CommitID(git.commit(UUID().uuidString))
        try git.push(force: true)
        _ = try await mirror.fetch(RefName("refs/heads/main"), commit: commit)
        return commit
    }

    /// Accepts a push of a branch, or of a tag, whatever was built before.
    @discardableResult
    func accept(
        _ ref: String, at commit: CommitID, _ rule: Rule, told kind: Cause.Kind = .webhook
    ) async throws -> Build {
        let ref = try RefName(ref)
        let names = try rule.names(for: ref, captures: [ref.name], commit: commit, acceptedAt: Date())
        let accepted = try await store.accept(
            NewDelivery(
                repository: Self.name, kind: kind, remoteAddress: "127.0.0.1", receivedAt: Date(), force: true,
                builds: [
                    NewBuild(
                        repository: Self.name, push: Push(ref: ref, commit: commit, message: "A push", author: "Ada"),
                        rule: rule, captures: [ref.name], image: image, names: names)
                ]))
        return try #require(accepted.builds.first)
    }

    /// Claims whatever is pending.
    func claim() async throws -> [Build] {
        try await store.claim(limit: 1000, worker: "w", lease: .seconds(60))
    }

    /// Takes a claimed build as far as its image.
    func pushed(_ build: Build, _ manifest: Manifest) async throws -> Tagging {
        try await store.startPushing(build.hold, commitTag: Tag("build-\(build.id)"))
        try await store.pushed(build.hold, digest: manifest.digest)
        return Tagging(
            build: build, commit: try #require(build.commit), manifest: manifest, mirror: mirror, tools: tools,
            output: LogWriter(store: store, hold: build.hold, secrets: { [] }, length: 0))
    }

    /// Accepts a push and takes it to its end.
    @discardableResult
    func finish(
        _ ref: String, at commit: CommitID, _ rule: Rule, _ manifest: Manifest, told kind: Cause.Kind = .webhook
    ) async throws -> Build {
        try await accept(ref, at: commit, rule, told: kind)
        let build = try #require(try await claim().first)
        let tagging = try await pushed(build, manifest)
        try await tagging.move(build.tags.map(\.name))
        try await tagging.output.finish()
        try await store.finish(build.hold)
        return try #require(try await store.build(build.id))
    }

    func holder(_ name: String) async throws -> TagHolder? { try await store.tag(Tag(name), of: image) }

    /// What the sweep knows of a tag.
    func found(_ name: String) async throws -> FoundTag? {
        try await store.tags(of: image).first { $0.name.text == name }?.found
    }
}

/// Lines that were said.
final class Said: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    func count(_ text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }
}

/// Doesn't wait where a moment would pass, and is cancelled like any other wait.
struct Unhurried: TimeSource {
    /// What comes to pass meanwhile.
    var meanwhile: @Sendable () async throws -> Void = {}

    var now: Date { SystemTime().now }

    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        try await meanwhile()
    }
}

/// Not Testing's.
typealias Tag = Model.Tag

/// A value that a test writes itself, so that it can't be wrong.
func sure<Value>(_ value: @autoclosure () throws -> Value) -> Value {
    do {
        return try value()
    } catch {
        preconditionFailure("a test's own value is wrong: \(error)")
    }
}
