import Foundation
import HTTP
import Intake
import Model
import Platform
import Queue
import Settings
import TestSupport
import Testing

@testable import Status

/// Cancel, pause, resume, and how it is with the service, over a real store.
@Suite struct OperationTests {
    private struct House {
        let folder: TemporaryDirectory
        let store: DatabaseStore
        let router: Router

        init(access: [AccessToken] = [], obstacle: String? = nil, fault: String? = nil) async throws {
            folder = try TemporaryDirectory()
            store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
            let rule = Rule(
                number: 1, source: .branch(try Pattern("main")), tags: [try Template("latest")],
                commitTag: try Template("sha-{sha12}"))
            let settings = Settings(
                access: access, limits: Limits(delay: 0),
                repositories: [
                    Repository(
                        name: try RepositoryName("acme/shop"), source: try GitSource("/srv/shop.git"),
                        image: try ImageName("localhost:5000/acme/shop"),
                        triggerTokens: [TriggerToken(name: "1", token: Secret("token"))], rules: [rule])
                ])
            router =
                API(
                    settings: LiveSettings(settings), store: store,
                    receiver: Receiver(settings: LiveSettings(settings), store: store) { _ in "main" },
                    time: SystemTime(),
                    log: Log(sink: { _ in }), version: "1.2.3", url: { "http://builds" }, engine: { "docker" },
                    fault: { fault }, obstacle: { obstacle }
                ).router
        }

        struct Reply: @unchecked Sendable {
            let status: Int
            let json: [String: Any]
            let text: String

            subscript(key: String) -> String? { json[key] as? String }
        }

        func ask(_ method: String, _ target: String, _ body: String = "", token: String? = nil) async throws -> Reply {
            let headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
            let response = await router.answer(
                try HTTPRequest(method: method, target: target, headers: headers, body: Data(body.utf8)))
            guard case .data(let data) = response.body else {
                return Reply(status: response.status, json: [:], text: "")
            }
            let json = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
            return Reply(status: response.status, json: json, text: String(decoding: data, as: UTF8.self))
        }

        func trigger() async throws {
            #expect(try await ask("POST", "/triggers/token", "branch=main&force=true").status == 202)
        }

        func claim() async throws -> Build {
            try #require(try await store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
        }
    }

    private static let tokens = [
        AccessToken(name: "ops", token: Secret("ops-token"), role: .admin),
        AccessToken(name: "team", token: Secret("team-token"), role: .admin, repositories: ["acme/*"]),
        AccessToken(name: "dev", token: Secret("dev-token"), role: .build, repositories: ["acme/*"]),
        AccessToken(name: "other", token: Secret("other-token"), role: .build, repositories: ["other/*"]),
        AccessToken(name: "reader", token: Secret("read-token"), role: .read),
    ]

    // MARK: Cancel

    @Test func aPendingBuildEndsAtOnce() async throws {
        let house = try await House()
        try await house.trigger()
        let reply = try await house.ask("POST", "/api/v1/builds/1/cancel", #"{"reason": "the wrong branch"}"#)
        #expect(reply.status == 200 && reply["state"] == "cancelled" && reply.json["detail"] is NSNull)
        #expect(reply["reason"] == "cancelled: the wrong branch")
        let again = try await house.ask("POST", "/api/v1/builds/1/cancel")
        #expect(again.status == 200 && again["detail"] == "build 1 had ended before: it is cancelled")
        #expect(again["reason"] == "cancelled: the wrong branch")
    }

    @Test func aRunningBuildIsAskedToStop() async throws {
        let house = try await House(access: Self.tokens)
        try await house.trigger()
        let build = try await house.claim()
        async let waiting = house.ask("GET", "/api/v1/builds/1?wait=60s&seen=building", token: "dev-token")
        let reply = try await house.ask("POST", "/api/v1/builds/1/cancel", token: "dev-token")
        #expect(reply.status == 202 && reply["state"] == "building" && reply["stop"] == "cancelled")
        #expect(reply["reason"] == "cancelled by dev" && reply.json["detail"] is NSNull)
        // Asked again, it is the first who has cancelled it.
        #expect(try await house.ask("POST", "/api/v1/builds/1/cancel", token: "ops-token").status == 202)
        try await house.store.stop(build.hold)
        let end = try await waiting
        #expect(["building", "cancelled"].contains(end["state"]))
        let late = try await house.ask("POST", "/api/v1/builds/1/cancel", token: "ops-token")
        #expect(late.status == 200 && late["detail"] != nil && late["reason"] == "cancelled by dev")
    }

    /// Who waits for a build hears that it is to stop, and not only that it has.
    @Test(.timeLimit(.minutes(6))) func waitingEndsWithTheWishToStop() async throws {
        let house = try await House()
        try await house.trigger()
        _ = try await house.claim()
        async let waiting = house.ask("GET", "/api/v1/builds/1?wait=300s&seen=building&stop=")
        #expect(try await house.ask("POST", "/api/v1/builds/1/cancel").status == 202)
        #expect(try await waiting["stop"] == "cancelled")
    }

    @Test(
        arguments: [
            ("/api/v1/builds/1/cancel", "", nil, 401), ("/api/v1/builds/1/cancel", "", "read-token", 403),
            ("/api/v1/builds/1/cancel", "", "other-token", 404), ("/api/v1/builds/7/cancel", "", "ops-token", 404),
            ("/api/v1/builds/x/cancel", "", "ops-token", 404), ("/api/v1/builds/1/cancel", "[]", "ops-token", 400),
            ("/api/v1/builds/1/cancel", "reason=x", "ops-token", 400), ("/api/v1/pause", "", "dev-token", 403),
            ("/api/v1/pause", "", "team-token", 403), ("/api/v1/resume", "", "team-token", 403),
            ("/api/v1/resume", "", nil, 401), ("/api/v1/pause", #"{"reason": 1}"#, "ops-token", 400),
            ("/api/v1/pause", #"{"reason": ""# + String(repeating: "x", count: 501) + #""}"#, "ops-token", 400),
        ] as [(String, String, String?, Int)])
    func refused(target: String, body: String, token: String?, status: Int) async throws {
        let house = try await House(access: Self.tokens)
        try await house.trigger()
        #expect(try await house.ask("POST", target, body, token: token).status == status)
        #expect(try await house.store.build(1)?.state == .pending)
        #expect(try await house.store.paused() == nil)
    }

    // MARK: Keys of a build

    @Test func aBuildThatIsTriedAgainSaysWhy() async throws {
        let house = try await House()
        try await house.trigger()
        let build = try await house.claim()
        try await house.store.retry(
            build.hold, Failure(.system, .push, "registry answered 503"), after: .seconds(40))
        let shown = try await house.ask("GET", "/api/v1/builds/1")
        #expect(shown["state"] == "pending" && shown.json["tries"] as? Int == 1)
        #expect(try #require(shown["retry_at"].flatMap(Timestamp.date)) > Date())
        #expect((shown.json["error"] as? [String: Any])?["message"] as? String == "registry answered 503")
    }

    @Test func aSupersededBuildNamesItsSuccessor() async throws {
        let house = try await House()
        try await house.trigger()
        try await house.trigger()
        try await house.store.supersede([1], by: 2)
        let shown = try await house.ask("GET", "/api/v1/builds/1")
        #expect(shown["state"] == "superseded" && shown.json["superseded_by"] as? Int == 2)
    }

    // MARK: Pause

    @Test func pausedBuildsWaitAndIntakeGoesOn() async throws {
        let house = try await House(access: Self.tokens)
        let paused = try await house.ask("POST", "/api/v1/pause", #"{"reason": "new disk"}"#, token: "ops-token")
        #expect(paused.status == 200)
        let pause = try #require(paused.json["paused"] as? [String: Any])
        #expect(pause["by"] as? String == "ops" && pause["reason"] as? String == "new disk")
        try await house.trigger()
        #expect(try await house.store.claim(limit: 1, worker: "w", lease: .seconds(60)).isEmpty)
        let ready = try await house.ask("GET", "/readyz")
        #expect(ready.status == 200)
        #expect(ready.text.hasPrefix("ready\nbuilds wait: paused by ops since "), "\(ready.text)")
        #expect(ready.text.hasSuffix(": new disk\n"), "\(ready.text)")
        // The first pause stays.
        let second = try await house.ask("POST", "/api/v1/pause", #"{"reason": "other"}"#, token: "ops-token")
        #expect((second.json["paused"] as? [String: Any])?["reason"] as? String == "new disk")
        let resumed = try await house.ask("POST", "/api/v1/resume", token: "ops-token")
        #expect(resumed.json["paused"] is NSNull && resumed.json["waits"] as? [String] == [])
        #expect(try await house.ask("GET", "/readyz").text == "ready\n")
        _ = try await house.claim()
    }

    @Test func theServiceTellsOfItself() async throws {
        let house = try await House(obstacle: "builds wait: 200 MB are free")
        try await house.trigger()
        try await house.trigger()
        _ = try await house.claim()
        let service = try await house.ask("GET", "/api/v1/service")
        #expect(
            Set(service.json.keys) == [
                "version", "url", "since", "pending", "running", "paused", "engine", "retries", "waits", "now",
            ])
        #expect(service["version"] == "1.2.3" && service["url"] == "http://builds" && service["engine"] == "docker")
        #expect(service.json["pending"] as? Int == 1 && service.json["running"] as? Int == 1)
        #expect(service.json["waits"] as? [String] == ["builds wait: 200 MB are free"])
        let ready = try await house.ask("GET", "/readyz")
        #expect(ready.status == 200 && ready.text == "ready\nbuilds wait: 200 MB are free\n")
    }

    @Test func withoutAnEngineItIsNotReady() async throws {
        let house = try await House(fault: "there is no engine")
        #expect(try await house.ask("GET", "/readyz").status == 503)
        #expect(try await house.ask("GET", "/api/v1/service").json["waits"] as? [String] == ["there is no engine"])
    }
}
