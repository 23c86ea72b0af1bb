import Foundation
import HTTP
import Intake
import Model
import Platform
import Queue
import Settings
import Status

/// The service's whole intake within this process: everything behind the socket, with a database of its own.
struct Target: Sendable {
    private let router: Router
    private let store: SQLiteStore

    init(folder: String) async throws {
        let secret = Secret(Sample.secret)
        func rule(_ number: Int, _ source: Rule.Source, _ tag: String) throws -> Rule {
            Rule(number: number, source: source, tags: [try Template(tag)], commitTag: try Template("sha-{sha12}"))
        }
        let repository = Repository(
            name: try RepositoryName("acme/shop"), source: try GitSource("https://git.example.com/acme/shop.git"),
            image: try ImageName("localhost:5000/acme/shop"), webhookSecrets: [secret],
            triggerTokens: [TriggerToken(name: "fuzz", token: Secret(Corpus.triggerToken))],
            rules: [
                try rule(1, .branch(try Pattern("/.*/")), "{sourceref}"),
                try rule(2, .tag(try Pattern("/(.*)/")), "{\\1}"),
                try rule(3, .defaultBranch, "latest"),
            ])
        let settings = Settings(
            limits: Limits(
                perToken: nil, perAddress: nil, delay: 0, pending: 10_000_000, pendingPerRepository: 10_000_000),
            webhookSecrets: [secret], repositories: [repository])
        store = try await SQLiteStore.open(path: folder + "/fuzz.sqlite", time: SystemTime())
        let receiver = Receiver(settings: settings, store: store) { _ in "main" }
        router =
            API(
                settings: settings, store: store, receiver: receiver, time: SystemTime(), log: Log(threshold: .error),
                url: { "http://127.0.0.1" }, fault: { nil }
            ).router
    }

    /// - Returns: the status, and how many builds were made.
    func post(_ path: String, _ headers: [(name: String, value: String)], _ body: Data) async throws -> (
        Int, builds: Int
    ) {
        let request = try HTTPRequest(
            method: "POST", target: path, headers: headers, body: body, remoteAddress: "127.0.0.1")
        let response = await router.answer(request)
        guard response.status == 202, case .data(let data) = response.body else { return (response.status, 0) }
        return (202, try JSONDecoder().decode(AnswerJSON.self, from: data).builds.count)
    }

    func close() async { await store.close() }
}
