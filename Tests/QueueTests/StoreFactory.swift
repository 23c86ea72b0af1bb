import Foundation
import Model
import Platform
import Queue
import TestSupport
import Testing

/// One kind of database that the behaviour suite runs on.
struct StoreFactory: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Opens the database that belongs to the folder; the same folder gives the same database.
    let open: @Sendable (_ folder: String, _ time: any TimeSource) async throws -> any Store

    static let sqlite = StoreFactory(testDescription: "SQLite") { folder, time in
        try await DatabaseStore.open(sqlite: folder + "/slipway.db", time: time)
    }

    static let postgreSQL = StoreFactory(testDescription: "PostgreSQL") { folder, time in
        let server = try #require(try await PostgreSQLServer.shared())
        let name = URL(fileURLWithPath: folder).lastPathComponent
        let address = PostgreSQLAddress(url: try await server.database(name, from: try await ready.value))
        return try await DatabaseStore.open(postgreSQL: address, time: time)
    }

    /// A database with the schema and nothing else, which others are copies of.
    private static let ready = Task { () -> String in
        let server = try #require(try await PostgreSQLServer.shared())
        let address = PostgreSQLAddress(url: try await server.database("slipway-ready"))
        try await DatabaseStore.open(postgreSQL: address).close()
        return "slipway-ready"
    }

    /// Those that this machine has.
    static let all = PostgreSQLServer.programs == nil ? [sqlite] : [sqlite, postgreSQL]
}

/// A value that a test writes itself, so that it can't be wrong.
func sure<Value>(_ value: @autoclosure () throws -> Value) -> Value {
    do {
        return try value()
    } catch {
        preconditionFailure("a test's own value is wrong: \(error)")
    }
}

/// A folder of its own for a test, gone afterwards.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("slipway-queue-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    do {
        let result = try await body(folder.path)
        try FileManager.default.removeItem(at: folder)
        return result
    } catch {
        try FileManager.default.removeItem(at: folder)
        throw error
    }
}

/// An empty store, its time, and the verbs of its tests.
struct Fixture: Sendable {
    let factory: StoreFactory
    let folder: String
    let time: ManualTime
    let store: any Store

    static let repository = sure(try RepositoryName("acme/shop"))
    static let image = sure(try ImageName("registry.example.com/acme/shop"))
    static let lease = Duration.seconds(60)

    static func with(_ factory: StoreFactory, _ body: (Fixture) async throws -> Void) async throws {
        try await withFolder { folder in
            let time = ManualTime()
            let store = try await factory.open(folder, time)
            do {
                try await body(Fixture(factory: factory, folder: folder, time: time, store: store))
            } catch {
                await store.close()
                throw error
            }
            await store.close()
        }
    }

    /// A second store on the same database.
    func openAgain() async throws -> any Store {
        try await factory.open(folder, time)
    }

    static func rule(_ number: Int = 1, tags: [String] = ["latest", "stable"]) -> Rule {
        Rule(
            number: number, source: .branch(sure(try Pattern("main"))), tags: sure(try tags.map { try Template($0) }),
            commitTag: sure(try Template("sha-{sha12}")), dockerfile: "docker/Dockerfile", context: "/",
            buildArgs: ["CHANNEL": "stable"], target: "release", timeout: 600)
    }

    static func commit(_ digit: Int) -> CommitID {
        sure(try CommitID(String(repeating: String(digit % 10), count: 40)))
    }

    static func digest(_ digit: Int) -> Digest {
        sure(try Digest("sha256:" + String(repeating: String(digit % 10), count: 64)))
    }

    static func names(_ commit: CommitID, rule: Rule = rule()) throws -> Rule.Names {
        try rule.names(
            for: RefName("refs/heads/main"), captures: ["main"], commit: commit,
            acceptedAt: Date(timeIntervalSince1970: 0))
    }

    static func newBuild(
        commit: CommitID?, ref: String = "refs/heads/main", before: CommitID? = nil,
        repository: RepositoryName = repository, image: ImageName = image, rule: Rule = rule()
    ) throws -> NewBuild {
        NewBuild(
            repository: repository,
            push: Push(
                ref: try RefName(ref), commit: commit, before: before, message: commit.map { _ in "Sell more" },
                author: "Ada"),
            rule: rule, captures: ["main"], image: image, names: try commit.map { try names($0, rule: rule) })
    }

    func delivery(repository: RepositoryName = repository, sender: String = UUID().uuidString) -> NewDelivery {
        NewDelivery(
            repository: repository, kind: .webhook, host: "github", senderID: sender, event: "push",
            remoteAddress: "127.0.0.1", headers: [Header(name: "User-Agent", value: "hook")], body: Data("{}".utf8),
            receivedAt: time.now, ignored: [Ignored(rule: 2, reason: "it builds tags, not branch \"main\"")])
    }

    /// Accepts one push of a commit made of this digit, also where it was built before.
    @discardableResult
    func push(_ digit: Int = 1, repository: RepositoryName = repository, rule: Rule = rule()) async throws -> Build {
        let build = try Self.newBuild(commit: Self.commit(digit), repository: repository, rule: rule)
        var delivery = delivery(repository: repository)
        delivery.force = true
        return try #require(try await store.accept(delivery, builds: [build]).builds.first)
    }

    /// Takes the oldest pending build to its end.
    @discardableResult
    func finishOne() async throws -> Build.ID {
        let hold = try await pushImage()
        try await store.finish(hold)
        return hold.build
    }

    func claim(_ limit: Int = 1) async throws -> [Build] {
        try await store.claim(limit: limit, worker: "w", lease: Self.lease)
    }

    func claimOne() async throws -> Hold {
        try #require(try await claim().first).hold
    }

    /// Claims the oldest build and starts its push.
    func startPushing() async throws -> Hold {
        let build = try #require(try await claim().first)
        try await store.startPushing(build.hold, commitTag: try #require(build.commitTag))
        return build.hold
    }

    /// Claims the oldest build and pushes an image with this digest.
    func pushImage(_ digit: Int = 1) async throws -> Hold {
        let hold = try await startPushing()
        try await store.pushed(hold, digest: Self.digest(digit))
        return hold
    }

    func build(_ id: Build.ID) async throws -> Build {
        try #require(try await store.build(id))
    }

    /// That the call is refused because the attempt holds nothing, or not in this state.
    func expectLost(
        _ hold: Hold, location: SourceLocation = #_sourceLocation, _ call: (any Store) async throws -> Void
    ) async {
        let error = await #expect(throws: LeaseLost.self, sourceLocation: location) { try await call(store) }
        #expect(error?.hold == hold, sourceLocation: location)
    }
}

func tag(_ text: String) throws -> Model.Tag {
    try Model.Tag(text)
}

extension Store {
    /// Keeps a delivery with these builds.
    func accept(_ delivery: NewDelivery, builds: [NewBuild]) async throws -> Acceptance {
        var delivery = delivery
        delivery.builds = builds
        return try await accept(delivery)
    }
}
