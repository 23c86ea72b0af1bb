import Foundation
import HTTP
import Intake
import Model
import Platform
import Queue
import Settings
import Status
import Synchronization

/// The service's whole intake within this process: everything behind the socket, with a database of its own.
final class Target: Sendable {
    /// When everything happens, in seconds since 1970: what is sent again gets the same answer.
    static let now = 1_795_000_000

    private struct Clock: TimeSource {
        let now = Date(timeIntervalSince1970: TimeInterval(Target.now))

        func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
    }

    /// What the service answered.
    struct Answer {
        var status: Int
        var data = Data()
        var body = Body()

        /// Those fields of any answer that are looked at. Not read by `JSONSerialization`, which drops the mark of byte
        /// order that a name may begin with.
        struct Body: Decodable {
            struct Build: Decodable {
                var id: Int?
                var ref: String?
                var commit: String?
                /// Docker Hub's.
                var source_name: String?
                var msg: String?
            }
            struct Delivery: Decodable {
                var id: String
            }
            var detail: String?
            var delivery: String?
            var builds: [Build]?
            var deliveries: [Delivery]?
        }
    }

    private let router: Router
    private let store: DatabaseStore
    private let amazon = Amazon()

    /// An address that was asked and isn't Amazon's.
    var strangeAddress: String? { amazon.strangeAddress.withLock { $0 } }

    /// Answers as Amazon's addresses do.
    private final class Amazon: Sendable {
        let strangeAddress = Mutex<String?>(nil)

        @Sendable func get(_ url: URL) -> (status: Int, body: Data) {
            if url.scheme != "https" || url.host != Topic.host || url.user != nil {
                strangeAddress.withLock { $0 = url.absoluteString }
            }
            return (200, Data(Topic.certificate.utf8))
        }
    }

    init(folder: String) async throws {
        store = try await DatabaseStore.open(sqlite: folder + "/fuzz.sqlite", time: Clock())
        let settings = LiveSettings(try Self.settings())
        let receiver = Receiver(settings: settings, store: store, askingAmazon: amazon.get) { _ in "main" }
        router =
            API(
                settings: settings, store: store, receiver: receiver, time: Clock(), log: Log(threshold: .error),
                url: { "http://127.0.0.1" }, fault: { nil }
            ).router
    }

    private static func settings() throws -> Settings {
        func rule(_ number: Int, _ source: Rule.Source, _ tag: String) throws -> Rule {
            Rule(
                number: number, source: source, tags: [try Template(tag)], commitTag: try Template("sha-{sha12}"),
                triggerBuildArgs: ["CHANNEL"])
        }
        let rules = [
            try rule(1, .branch(try Pattern("/.*/")), "{sourceref}"), try rule(2, .tag(try Pattern("/(.*)/")), "{\\1}"),
            try rule(3, .defaultBranch, "latest"),
        ]
        let secrets = Secrets.shared.map { Secret($0) }
        let repositories = try [
            ("acme/shop", "https://git.example.com/acme/shop.git"), ("acme/cloud", "git@bitbucket.org:acme/cloud.git"),
            ("acme/amazon", "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop"),
        ].map { name, source in
            Repository(
                name: try RepositoryName(name), source: try GitSource(source),
                image: try ImageName("localhost:5000/\(name)"), webhookSecrets: secrets, snsTopics: [Topic.arn],
                triggerTokens: name == "acme/shop"
                    ? [TriggerToken(name: "fuzz", token: Secret(Secrets.trigger))] : [],
                rules: rules)
        }
        return Settings(
            access: [AccessToken(name: "ops", token: Secret(Secrets.access), role: .admin)],
            trustedProxies: [IPNetwork("127.0.0.1")].compactMap(\.self),
            limits: Limits(
                perToken: nil, perAddress: nil, delay: 0, pending: 100_000_000, pendingPerRepository: 100_000_000),
            webhookSecrets: secrets, snsTopics: [Topic.arn], repositories: repositories)
    }

    func send(_ request: Request) async throws -> Answer {
        try await answer("POST", request.path, request.headers, request.body)
    }

    /// As the operator.
    func ask(_ method: String, _ path: String) async throws -> Answer {
        try await answer(method, path, [Header("Authorization", "Bearer " + Secrets.access)], Data())
    }

    private func answer(_ method: String, _ path: String, _ headers: [Header], _ body: Data) async throws -> Answer {
        let request: HTTPRequest
        do {
            request = try HTTPRequest(
                method: method, target: path, headers: headers.map { ($0.name, $0.value) }, body: body,
                remoteAddress: "127.0.0.1")
        } catch {
            // As the server answers before anybody is asked.
            return Answer(status: 400, body: Answer.Body(detail: "\(error)"))
        }
        let response = await router.answer(request)
        guard case .data(let data) = response.body else { throw Found("\(path) was answered with a stream") }
        var answer = Answer(status: response.status, data: data)
        guard response.headers.contains(where: { $0.name == "Content-Type" && $0.value.hasSuffix("json") }) else {
            return answer
        }
        if data.first == UInt8(ascii: "[") {
            // Docker Hub's first trigger tells builds in a list of its own, also those that were there already.
            let builds = try JSONDecoder().decode([Answer.Body.Build].self, from: data)
            answer.body.builds = builds.filter { $0.msg == "Build submitted" }
        } else {
            answer.body = try JSONDecoder().decode(Answer.Body.self, from: data)
        }
        return answer
    }

    func close() async { await store.close() }
}
