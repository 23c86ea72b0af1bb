import Foundation
import HTTP
import Intake
import Model
import Platform
import Queue
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Status

/// The three addresses of triggers, what they answer, and who is turned away.
@Suite struct TriggerFormsTests {
    private static let classic = "/u/hub-user/hub-image/trigger/the-token/"
    private static let source = "/api/build/v1/source/0000-1111/trigger/the-token/call/"

    private final class Lines: Sendable {
        private let kept = Mutex("")

        var text: String { kept.withLock { $0 } }
        func add(_ line: String) { kept.withLock { $0 += line } }
    }

    private final class House: Sendable {
        let folder: TemporaryDirectory
        let store: DatabaseStore
        let time = ManualTime()
        let router: Router
        let api: API
        private let lines: Lines

        var log: String { lines.text }

        init(limits: Limits = Limits(delay: 0), access: [AccessToken] = [], proxies: [IPNetwork] = []) async throws {
            folder = try TemporaryDirectory()
            store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
            func rule(_ number: Int, _ source: Rule.Source, _ tags: String...) throws -> Rule {
                Rule(
                    number: number, source: source, tags: try tags.map { try Template($0) },
                    commitTag: try Template("sha-{sha12}"))
            }
            let settings = LiveSettings(
                Settings(
                    access: access, trustedProxies: proxies, limits: limits,
                    repositories: [
                        Repository(
                            name: try RepositoryName("acme/shop"),
                            source: try GitSource("https://github.com/acme/shop.git"),
                            image: try ImageName("localhost:5000/acme/shop"),
                            triggerTokens: [TriggerToken(name: "nightly", token: Secret("the-token"))],
                            rules: [
                                try rule(1, .branch(try Pattern("main")), "latest", "c-{sha7}"),
                                try rule(2, .tag(try Pattern("/^v(.+)$/")), "{\\1}"),
                            ])
                    ]))
            let lines = Lines()
            self.lines = lines
            let log = Log { lines.add($0) }
            let url: @Sendable () -> String = { "http://builds" }
            api = API(
                settings: settings, store: store,
                receiver: Receiver(settings: settings, store: store) { _ in "main" }, time: time, log: log, url: url,
                fault: { nil })
            router = api.router
        }

        func post(
            _ target: String, _ body: String = "", _ headers: [(String, String)] = [], from: String = "192.0.2.1"
        ) async throws -> HTTPResponse {
            await router.answer(
                try HTTPRequest(
                    method: "POST", target: target, headers: headers.map { (name: $0.0, value: $0.1) },
                    body: Data(body.utf8), remoteAddress: from))
        }
    }

    private static func text(_ response: HTTPResponse) -> String {
        guard case .data(let data) = response.body else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    private static func json(_ response: HTTPResponse) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(text(response).utf8))
    }

    private static func object(_ response: HTTPResponse) throws -> [String: Any] {
        try #require(try json(response) as? [String: Any])
    }

    // MARK: Answers

    @Test(arguments: [
        "/triggers/the-token", "/triggers/the-token/", classic, String(classic.dropLast()), source,
        String(source.dropLast()), "/u/%61/b/%74rigger/the%2Dtoken",
    ])
    func everyAddressStartsABuild(_ address: String) async throws {
        let house = try await House()
        let reply = try await house.post(address, "{\"branch\": \"main\"}")
        #expect(reply.status == (address.hasPrefix("/u/") ? 200 : 202))
        #expect(try await house.store.builds(BuildQuery()).count == 1)
    }

    @Test func theClassicAnswerIsOK() async throws {
        let house = try await House()
        for accept in ["*/*", "text/plain", "text/html, */*;q=0.8"] {
            let reply = try await house.post(Self.classic, "{\"source_name\": \"main\"}", [("Accept", accept)])
            #expect(Self.text(reply) == "OK")
        }
        // nothing matches: Docker Hub said so by nothing
        #expect(Self.text(try await house.post(Self.classic, "{\"docker_tag\": \"none\"}")) == "OK")
    }

    @Test func theClassicListHasDockerHubsKeys() async throws {
        let house = try await House()
        let accept = [("Accept", "application/json, */*")]
        let reply = try await house.post(
            Self.classic, "{\"source_type\": \"Branch\", \"source_name\": \"main\"}", accept)
        let list = try #require(try Self.json(reply) as? [[String: Any]])
        #expect(list.count == 1)
        let build = try #require(list.first)
        let keys: Set = [
            "source_type", "source_name", "evaluated_tag_name", "build_code", "msg", "queued_for_retry", "build", "url",
        ]
        #expect(Set(build.keys) == keys)
        #expect(build["source_type"] as? String == "Branch")
        #expect(build["source_name"] as? String == "main")
        #expect(build["evaluated_tag_name"] as? String == "latest,c-{sha7}")
        #expect(build["build_code"] as? String == "1")
        #expect(build["msg"] as? String == "Build submitted")
        #expect(build["queued_for_retry"] as? Bool == false)
        #expect(build["url"] as? String == "http://builds/api/v1/builds/1")
        let tag = try await house.post(Self.classic, "{\"source_type\": \"Tag\", \"source_name\": \"v1.4\"}", accept)
        let tagged = try #require((try Self.json(tag) as? [[String: Any]])?.first)
        #expect(tagged["source_type"] as? String == "Tag")
        #expect(tagged["evaluated_tag_name"] as? String == "1.4")
        #expect(Self.text(try await house.post(Self.classic, "{\"docker_tag\": \"none\"}", accept)) == "[]")
    }

    @Test func whatIsPendingAlreadyIsSaidSo() async throws {
        let house = try await House()
        let accept = [("Accept", "application/json")]
        _ = try await house.post(Self.classic, "{\"source_type\": \"Tag\", \"source_name\": \"v2\"}", accept)
        let again = try await house.post(Self.classic, "{\"source_type\": \"Tag\", \"source_name\": \"v2\"}", accept)
        let list = try #require(try Self.json(again) as? [[String: Any]])
        #expect(list.map { $0["build"] as? Int } == [1])
        #expect(list.first?["msg"] as? String == "A build for tag 2 is already pending. Ignoring request.")
    }

    @Test func theSourceTellsTheBuildBefore() async throws {
        let house = try await House()
        let body = "{\"source_type\": \"Tag\", \"source_name\": \"v1\"}"
        let first = try Self.object(try await house.post(Self.source, body))
        for key in [
            "autotests", "channel", "image", "owner", "provider", "repository", "resource_uri", "state", "uuid",
        ] {
            #expect(first[key] is String, "\(key)")
        }
        #expect(first["state"] as? String == "Empty")
        #expect(first["image"] as? String == "acme/shop")
        #expect(first["provider"] as? String == "Github")
        #expect(first["uuid"] as? String == "0000-1111")
        #expect(first["resource_uri"] as? String == "/api/build/v1/source/0000-1111/")
        let rules = try #require(first["build_settings"] as? [[String: Any]])
        #expect(rules.map { $0["source_name"] as? String } == ["main", "/^v(.+)$/"])
        #expect(rules.map { $0["source_type"] as? String } == ["Branch", "Tag"])
        #expect((first["builds"] as? [[String: Any]])?.first?["url"] as? String == "http://builds/api/v1/builds/1")
        #expect((first["ignored"] as? [[String: Any]])?.count == 1)
        #expect(try Self.object(try await house.post(Self.source, "branch=main"))["state"] as? String == "Building")
        for build in try await house.store.claim(limit: 9, worker: "w", lease: .seconds(60)) {
            try await house.store.fail(build.hold, Failure(.build, .build, "line 3"))
        }
        #expect(try Self.object(try await house.post(Self.source, "branch=main"))["state"] as? String == "Failed")
    }

    // MARK: Turned away

    @Test func errorsHaveTheMemberThatScriptsLookFor() async throws {
        let house = try await House()
        for (address, isHub) in [(Self.classic, true), (Self.source, true), ("/triggers/the-token", false)] {
            let bad = try await house.post(address, "{\"build\": 5}")
            #expect(bad.status == 400)
            #expect(bad.headers.contains { $0.value == "application/problem+json" })
            let problem = try Self.object(bad)
            #expect((problem["error"] as? String != nil) == isHub, "\(address)")
            if isHub { #expect(problem["error"] as? String == problem["detail"] as? String) }
            let unknown = try await house.post(address.replacing("the-token", with: "another"))
            #expect(unknown.status == 404)
            #expect((try Self.object(unknown)["error"] as? String != nil) == isHub)
        }
        #expect(house.api.gate.turnedAway["unreadable"] == 3)
        #expect(house.api.gate.turnedAway["unknown_token"] == 3)
    }

    @Test(arguments: [
        "/triggers/SECRET", "/u/a/b/trigger/SECRET", "/u/a/b/%74rigger/SECRET/", "/%74riggers/SECRET",
        "/api/build/v1/source/x/trigger/SECRET/call/",
    ])
    func noTokenReachesTheLog(_ address: String) async throws {
        let house = try await House()
        #expect(try await house.post(address).status == 404)
        #expect(house.log.contains("unknown_token"))
        #expect(house.log.contains("…"))
        #expect(!house.log.contains("SECRET"), "\(house.log)")
    }

    @Test func theRestOfTheAddressIsShown() async throws {
        let house = try await House()
        for (path, shown) in [
            ("/u/a/b/trigger/SECRET/", "POST /u/a/b/trigger/…/"), ("/webhooks/acme/shop", "POST /webhooks/acme/shop"),
            ("/api/build/v1/source/x/trigger/SECRET/call", "POST /api/build/v1/source/x/trigger/…/call"),
        ] {
            #expect(house.api.shown(try HTTPRequest(method: "POST", target: path)) == shown)
        }
    }

    @Test func aTokenIsLimited() async throws {
        let house = try await House(
            limits: Limits(perToken: try Rate("2/m"), delay: 0),
            access: [AccessToken(name: "ops", token: Secret("ops-token"), role: .build)])
        for address in [Self.classic, Self.source] { #expect(try await house.post(address).status < 300) }
        let over = try await house.post("/triggers/the-token")
        #expect(over.status == 429)
        #expect(over.headers.first { $0.name == "Retry-After" }?.value == "30")
        #expect(
            try Self.object(over)["detail"] as? String
                == "the trigger token \"nightly\" of acme/shop may send 2 requests in 60 s; ask again in 30 s")
        let builds = "/api/v1/repositories/acme/shop/builds"
        let bearer = [("Authorization", "Bearer ops-token")]
        for _ in 1...2 { #expect(try await house.post(builds, "branch=main", bearer).status == 202) }
        #expect(try await house.post(builds, "branch=main", bearer).status == 429)
        #expect(house.api.gate.turnedAway["rate"] == 2)
    }

    @Test func guessesAreLimitedByAddress() async throws {
        let house = try await House(
            limits: Limits(perAddress: try Rate("2/m"), delay: 0),
            access: [AccessToken(name: "ops", token: Secret("ops-token"), role: .build)],
            proxies: [#require(IPNetwork("10.0.0.0/8"))])
        #expect(try await house.post("/triggers/no").status == 404)
        #expect(try await house.post("/api/v1/repositories/acme/shop/builds").status == 401)
        // the bucket is one for all that is guessed, and what is right isn't in it
        #expect(try await house.post("/webhooks/acme/shop").status == 429)
        #expect(try await house.post("/triggers/no").status == 429)
        #expect(try await house.post("/triggers/the-token").status == 202)
        #expect(try await house.post("/triggers/no", from: "192.0.2.2").status == 404)
        // behind a proxy each caller has a bucket of its own
        for address in ["198.51.100.1", "198.51.100.2"] {
            for status in [404, 404, 429] {
                let reply = try await house.post(
                    "/triggers/no", "", [("X-Forwarded-For", address)], from: "10.0.0.1")
                #expect(reply.status == status)
            }
        }
        #expect(house.api.gate.turnedAway["rate"] == 4)
    }

    @Test(.timeLimit(.minutes(6))) func guessesTakeTime() async throws {
        let house = try await House(limits: Limits(delay: 1000))
        let asked = Task { try await house.post("/triggers/no").status }
        #expect(await eventually { house.time.sleepers == 1 })
        house.time.advance(by: .seconds(1))
        #expect(try await asked.value == 404)
        // when the service stops it is told at once, and the same
        let stopped = Task { try await house.post("/triggers/no").status }
        #expect(await eventually { house.time.sleepers >= 1 })
        stopped.cancel()
        #expect(try await stopped.value == 404)
    }

    @Test func aFullQueueSaysWhenToComeAgain() async throws {
        let house = try await House()
        let request = try HTTPRequest(method: "POST", target: Self.classic)
        let full = QueueFull(repository: try RepositoryName("acme/shop"), limit: 5)
        let reply = await house.api.refuse(full, request)
        #expect(reply.status == 429)
        #expect(reply.headers.first { $0.name == "Retry-After" }?.value == "60")
        #expect((try Self.object(reply)["error"] as? String)?.contains("5 builds of acme/shop are pending") == true)
        #expect(house.api.gate.turnedAway["queue_full"] == 1)
    }
}
