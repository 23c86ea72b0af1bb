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

/// Images that stand on one another: a registry that says where tags point, a store, and a watch over both.
///
/// Images are called by what is behind `acme/` in their names; all have the one tag `latest`.
final class Shelf: Sendable {
    let folder: TemporaryDirectory
    let time = ManualTime()
    let store: DatabaseStore
    let tools: Tools
    let said = Said()
    /// Builds that may be pending.
    let room = Mutex(Int.max)
    private let contents: Contents
    private let server: ScriptedServer

    /// What the registry's tags point at, and what it answers instead.
    private final class Contents: Sendable {
        let tags = Mutex<[String: String]>([:])
        let spoiled = Mutex<(ScriptedServer.Reply)?>(nil)
    }

    /// - Parameter isShared: whether others may have the queue too; then it is to be closed with `close`.
    init(_ names: String..., basePoll: Duration? = nil, isShared: Bool = false) async throws {
        let contents = Contents()
        self.contents = contents
        server = try ScriptedServer { request in
            if let reply = contents.spoiled.withLock({ $0 }) { return reply }
            let name = request.target.split(separator: "/").dropFirst(2).first.map(String.init) ?? ""
            guard let digest = contents.tags.withLock({ $0[name] }) else { return .answer(404) }
            return .answer(200, [("Docker-Content-Digest", digest)])
        }
        folder = try TemporaryDirectory()
        if isShared {
            let server = try #require(try await PostgreSQLServer.shared())
            let url = try await server.database(URL(fileURLWithPath: folder.path).lastPathComponent)
            store = try await DatabaseStore.open(postgreSQL: PostgreSQLAddress(url: url), time: time)
        } else {
            store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: time)
        }
        let host = server.host
        let settings = LiveSettings(
            Settings(
                data: folder.path, basePoll: basePoll, registries: [host: RegistrySettings(insecure: true)],
                repositories: try names.map { name in
                    Repository(
                        name: try RepositoryName("acme/\(name)"), source: try GitSource("/srv/\(name).git"),
                        image: try ImageName("\(host)/acme/\(name)"), rules: [Yard.rule(tags: "latest")])
                }))
        let log = Log(threshold: .debug) { [said] in said.add($0) }
        tools = Tools(
            settings: settings, store: store, mirrors: Mirrors(directory: folder["mirrors"], log: log),
            workspaces: Workspaces(data: folder.path),
            registry: try RegistryClient(settings: settings, environment: [:], userAgent: "test"), time: time, log: log)
    }

    deinit { server.stop() }

    func close() async throws {
        await store.close()
        try await PostgreSQLServer.shared()?.drop(URL(fileURLWithPath: folder.path).lastPathComponent)
    }

    var watch: BaseWatch {
        BaseWatch(tools: tools) { [weak self] build, detail in
            guard let self else { return nil }
            let limit = self.room.withLock { $0 }
            return try await self.accept(build.repository, build.image, .base, detail, Room(inAll: limit))
        }
    }

    var asked: Int { server.requests.count }

    func image(_ name: String) throws -> ImageReference {
        ImageReference(image: try ImageName("\(server.host)/acme/\(name)"), tag: try Tag("latest"))
    }

    static func digest(_ text: String) throws -> Digest { try Digest("sha256:" + Crypto.sha256(Data(text.utf8)).hex) }

    // MARK: Verbs

    /// The registry's tag now points at another image; nil for at none.
    func move(_ name: String, to text: String?) throws {
        let digest = try text.map { try Self.digest($0).text }
        contents.tags.withLock { $0[name] = digest }
    }

    func spoil(_ reply: ScriptedServer.Reply?) { contents.spoiled.withLock { $0 = reply } }

    /// Builds an image from a push, to its end.
    @discardableResult
    func build(_ name: String, on bases: String..., as text: String) async throws -> Build {
        try await finish(try await push(name), on: bases, as: text)
    }

    /// A push whose build is pending.
    func push(_ name: String) async throws -> Build {
        let accepted = try await accept(RepositoryName("acme/\(name)"), image(name).image, .webhook, nil, Room())
        return try #require(accepted)
    }

    /// Takes the pending build of an image to its end.
    @discardableResult
    func finish(_ name: String, on bases: String..., as text: String) async throws -> Build {
        let query = BuildQuery(repository: try RepositoryName("acme/\(name)"), states: [.pending])
        return try await finish(try #require(try await store.builds(query).last), on: bases, as: text)
    }

    /// The attempt of a build, which sees its bases as the registry has them, moves its tag, and ends.
    private func finish(_ build: Build, on bases: [String], as text: String) async throws -> Build {
        let hold = try await claim(build)
        let inputs = BuildInputs(
            doubt: "nothing is built here",
            bases: try bases.map { name in
                let image = try image(name)
                let digest = try #require(contents.tags.withLock { $0[name] })
                return BaseImage(image: image.image, tag: try Tag("latest"), digest: try Digest(digest))
            })
        try await store.inputs(hold, inputs, reuse: "no build of this image had these inputs")
        try await store.startPushing(hold, commitTag: Tag("build-\(build.id)"))
        try await store.pushed(hold, digest: Self.digest(text))
        _ = try await store.startMoving(hold, tag: Tag("latest"))
        try move(String(build.image.path.dropFirst("acme/".count)), to: text)
        try await store.moved(hold, tag: Tag("latest"))
        tools.moved.add([ImageReference(image: build.image, tag: try Tag("latest"))])
        try await store.finish(hold)
        return try #require(try await store.build(build.id))
    }

    func claim(_ build: Build) async throws -> Hold {
        let claimed = try await store.claim(limit: 1, worker: "w", lease: .seconds(60))
        let hold = try #require(claimed.first?.hold)
        #expect(hold.build == build.id, "another build was pending")
        return hold
    }

    private func accept(
        _ name: RepositoryName, _ image: ImageName, _ kind: Cause.Kind, _ detail: String?, _ room: Room
    ) async throws -> Build? {
        let rule = Yard.rule(tags: "latest")
        let commit = try CommitID(String(repeating: "a", count: 40))
        let push = Push(ref: try RefName("refs/heads/main"), commit: commit, message: "A push", author: "Ada")
        let names = try rule.names(for: push.ref, captures: ["main"], commit: commit, acceptedAt: time.now)
        let delivery = NewDelivery(
            repository: name, kind: kind, remoteAddress: "", receivedAt: time.now, force: kind != .base, detail: detail,
            builds: [
                NewBuild(
                    repository: name, push: push, rule: rule, captures: ["main"], image: image, names: names)
            ])
        return try await store.accept([delivery], room: room).first?.builds.first
    }

    /// The images of the builds that are pending, oldest first.
    func pending() async throws -> [String] {
        try await store.builds(BuildQuery(states: [.pending])).reversed().map {
            String($0.image.path.dropFirst("acme/".count))
        }
    }

    /// Waits until a build of the image is pending.
    func waitUntilPending(_ name: String) async throws -> Bool {
        let changes = store.changes(.pending)
        return try await withDeadline(.seconds(20)) {
            if try await self.pending().contains(name) { return true }
            for await _ in changes {
                if try await self.pending().contains(name) { return true }
            }
            return false
        } ?? false
    }
}
