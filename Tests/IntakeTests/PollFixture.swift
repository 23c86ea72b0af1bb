import Foundation
import Model
import Platform
import Queue
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Intake

/// A source that has what a test says, a store, and a poller that looks from the one into the other.
final class PollFixture: @unchecked Sendable {
    struct State {
        var refs: [String: Character] = [:]
        var fault: (any Error)?
        /// Repositories in the order in which their sources were asked.
        var asked: [String] = []
        var lines: [String] = []
    }

    let folder: TemporaryDirectory
    let time = ManualTime()
    let store: DatabaseStore
    let settings: LiveSettings
    private let state = Mutex(State())
    /// Set once, at the end of `init`: its source asks this fixture.
    private(set) var poller: Poller!

    /// - Parameters:
    ///   - isShared: whether others may have the queue too; then it is to be closed with `close`.
    ///   - ahead: the seconds that the poller's machine's clock is ahead of the queue's time.
    ///   - meanwhile: happens while a source is asked, after it has looked what it has.
    init(
        rules: [Rule]? = nil, hosts: [String] = ["git.example.com"], poll: Duration? = .seconds(300),
        limits: Limits = Limits(), isShared: Bool = false,
        ahead: Double = 0,
        meanwhile: @escaping @Sendable (PollFixture) async throws -> Void = { _ in }
    ) async throws {
        folder = try TemporaryDirectory()
        if isShared {
            let name = URL(fileURLWithPath: folder.path).lastPathComponent
            let server = try #require(try await PostgreSQLServer.shared())
            let url = try await server.database(name)
            store = try await DatabaseStore.open(postgreSQL: PostgreSQLAddress(url: url), time: time)
        } else {
            store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: time)
        }
        let rules = try rules ?? [Self.rule(1, .branch("main")), Self.rule(2, .tag("/^v/"))]
        settings = LiveSettings(
            Settings(
                limits: limits,
                repositories: try hosts.enumerated().map { place, host in
                    Repository(
                        name: try RepositoryName(place == 0 ? "acme/shop" : "acme/shop\(place)"),
                        source: try GitSource("https://\(host)/acme/shop\(place).git"),
                        image: try ImageName("localhost:5000/acme/shop\(place)"), poll: poll, rules: rules)
                }))
        let log = Log { [weak self] line in self?.state.withLock { $0.lines.append(line) } }
        poller = Poller(
            receiver: Receiver(settings: settings, store: store) { _ in "asked in vain" }, holder: "p",
            time: Ahead(time: time, seconds: ahead),
            log: log
        ) { [weak self] repository in
            guard let self else { throw CancellationError() }
            let (refs, fault) = self.state.withLock { state in
                state.asked.append(repository.name.text)
                return (state.refs, state.fault)
            }
            try await meanwhile(self)
            if let fault { throw fault }
            return PollListing(
                defaultBranch: "main",
                refs: try refs.reduce(into: [:]) { $0[try RefName($1.key)] = try CommitID(id($1.value)) })
        }
    }

    func close() async throws {
        await store.close()
        try await PostgreSQLServer.shared()?.drop(URL(fileURLWithPath: folder.path).lastPathComponent)
    }

    enum Source {
        case branch(String), tag(String), defaultBranch
    }

    static func rule(_ number: Int, _ source: Source, autobuild: Bool = true) throws -> Rule {
        let tag = try Template("t\(number)")
        let source: Rule.Source =
            switch source {
            case .branch(let text): .branch(try Pattern(text))
            case .tag(let text): .tag(try Pattern(text))
            case .defaultBranch: .defaultBranch
            }
        return Rule(
            number: number, source: source, tags: [tag], commitTag: try Template("sha-{sha12}"), autobuild: autobuild)
    }

    var asked: [String] { state.withLock(\.asked) }
    /// What the poller told its operator, without times.
    var lines: [String] {
        state.withLock { state in state.lines.map { String($0.drop { $0 != " " }.dropFirst().dropLast()) } }
    }

    func set(_ change: @Sendable (inout State) -> Void) {
        state.withLock { change(&$0) }
    }

    // MARK: Verbs

    /// The source now has these refs, at commits of one digit each.
    func has(_ refs: [String: Character]) {
        state.withLock { $0.refs = refs }
    }

    /// Looks, with this source, as often as is due once a poll's time is over.
    func look(_ refs: [String: Character]? = nil, after pause: Duration = .seconds(331)) async {
        if let refs { has(refs) }
        time.advance(by: pause)
        _ = await poller.runOnce()
    }

    /// A webhook tells of a push to the first repository.
    @discardableResult
    func tell(_ ref: String, _ commit: Character, before: Character? = nil) async throws -> [Build] {
        let push = Push(
            ref: try RefName(ref), commit: try CommitID(id(commit)), before: try before.map { try CommitID(id($0)) })
        var matching = Matching()
        let repository = try #require(settings.now.repositories.first)
        matching.add(push, of: repository, asked: false, acceptedAt: time.now)
        let delivery = NewDelivery(
            repository: repository.name, kind: .webhook, host: "github", senderID: UUID().uuidString, remoteAddress: "",
            receivedAt: time.now, builds: matching.builds, ignored: matching.ignored)
        return try await store.accept(delivery).builds
    }

    /// All builds, oldest first: `webhook refs/heads/main 1`.
    func builds() async throws -> [String] {
        try await store.builds(BuildQuery(limit: 1000)).reversed().map {
            "\($0.cause.kind) \($0.ref.text) \($0.commit?.text.prefix(1) ?? "-")"
        }
    }

    func seen() async throws -> [String: String]? {
        try await store.seenRefs(RepositoryName("acme/shop"))?.reduce(into: [:]) {
            $0[$1.key.text] = String($1.value.text.prefix(1))
        }
    }
}

/// A clock that is wrong by so much.
private struct Ahead: TimeSource {
    let time: ManualTime
    let seconds: Double

    var now: Date { time.now.addingTimeInterval(seconds) }

    func sleep(for duration: Duration) async throws { try await time.sleep(for: duration) }
}
