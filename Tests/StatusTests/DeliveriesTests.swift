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

/// Deliveries and retries over HTTP, on a real store.
@Suite struct DeliveriesTests {
    private static let commit = String(repeating: "b2", count: 20)
    private static let secret = "a secret between us"

    private struct House {
        let folder: TemporaryDirectory
        let store: DatabaseStore
        let router: Router

        init(access: [AccessToken] = []) async throws {
            folder = try TemporaryDirectory()
            store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
            let rules = try [(1, "main"), (2, "/^release-([0-9]+)$/")].map { number, branch in
                Rule(
                    number: number, source: .branch(try Pattern(branch)), tags: [try Template("latest")],
                    commitTag: try Template("sha-{sha12}"))
            }
            let settings = LiveSettings(
                Settings(
                    access: access, limits: Limits(delay: 0), webhookSecrets: [Secret(DeliveriesTests.secret)],
                    repositories: try ["acme/shop", "other/tools"].map { name in
                        Repository(
                            name: try RepositoryName(name),
                            source: try GitSource("https://git.example.com/\(name).git"),
                            image: try ImageName("localhost:5000/\(name)"),
                            webhookSecrets: [Secret(DeliveriesTests.secret)],
                            triggerTokens: [TriggerToken(name: "nightly", token: Secret("token-of-\(name)"))],
                            rules: rules)
                    }))
            router =
                API(
                    settings: settings, store: store,
                    receiver: Receiver(settings: settings, store: store) { _ in "main" },
                    time: SystemTime(), log: Log(sink: { _ in }), url: { "http://builds" }, fault: { nil }
                ).router
        }

        struct Reply: @unchecked Sendable {
            let status: Int
            let json: [String: Any]

            var deliveries: [[String: Any]] { json["deliveries"] as? [[String: Any]] ?? [] }
            var ids: [String] { deliveries.compactMap { $0["id"] as? String } }
            var delivery: String { json["delivery"] as? String ?? "" }
            var builds: [Int] { (json["builds"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? Int } }
            var detail: String { json["detail"] as? String ?? "" }
            var outcomes: [[String: Any]] { json["outcomes"] as? [[String: Any]] ?? [] }
        }

        func ask(
            _ method: String, _ target: String, _ body: Data = Data(), token: String? = nil,
            headers: [String: String] = [:]
        ) async throws -> Reply {
            var headers = headers
            headers["Authorization"] = token.map { "Bearer \($0)" }
            let response = await router.answer(
                try HTTPRequest(
                    method: method, target: target, headers: headers.map { ($0.key, $0.value) }, body: body,
                    remoteAddress: "192.0.2.7"))
            guard case .data(let data) = response.body else { return Reply(status: response.status, json: [:]) }
            return Reply(
                status: response.status, json: try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:])
        }

        @discardableResult
        func push(
            _ branch: String = "main", commit: String = DeliveriesTests.commit, to path: String = "/webhooks/acme/shop",
            message: String = "Say hello", address: String = "https://git.example.com/acme/shop.git"
        ) async throws -> Reply {
            let body = Data(
                """
                {"ref": "refs/heads/\(branch)", "after": "\(commit)", "head_commit": {"id": "\(commit)",
                "message": "\(message)"}, "repository": {"clone_url": "\(address)", "default_branch": "main"}}
                """.utf8)
            return try await ask(
                "POST", path, body,
                headers: [
                    "X-GitHub-Event": "push", "X-GitHub-Delivery": UUID().uuidString, "User-Agent": "GitHub-Hookshot/1",
                    "X-Hub-Signature-256": "sha256="
                        + Crypto.hmacSHA256(key: Data(DeliveriesTests.secret.utf8), body).hex,
                ])
        }

        /// Takes the oldest pending build to `failed`.
        func failOne() async throws {
            let build = try #require(try await store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
            try await store.fail(build.hold, Failure(.build, .build, "line 3"))
        }
    }

    private static let keys: Set = [
        "id", "repository", "kind", "host", "event", "sender_id", "token", "remote_address", "user_agent",
        "received_at", "redelivery_of", "outcomes", "url",
    ]

    @Test func theListHasEveryKey() async throws {
        let house = try await House()
        for _ in 1...3 { _ = try await house.ask("POST", "/triggers/of-nobody") }
        let push = try await house.push()
        _ = try await house.ask("POST", "/triggers/token-of-acme%2Fshop", Data("{\"branch\": \"dev\"}".utf8))
        let list = try await house.ask("GET", "/api/v1/deliveries")
        #expect(list.json["next"] is NSNull)
        let turnedAway = try #require(list.json["turned_away"] as? [String: Int])
        #expect(turnedAway["unknown_token"] == 3 && turnedAway["rate"] == 0)
        #expect(list.deliveries.count == 2)
        for delivery in list.deliveries { #expect(Set(delivery.keys) == Self.keys) }
        let first = try #require(list.deliveries.last)
        #expect(first["id"] as? String == push.delivery)
        #expect(first["kind"] as? String == "webhook")
        #expect(first["host"] as? String == "github")
        #expect(first["event"] as? String == "push")
        #expect(first["user_agent"] as? String == "GitHub-Hookshot/1")
        #expect(first["remote_address"] as? String == "192.0.2.7")
        #expect(first["url"] as? String == "http://builds/api/v1/deliveries/\(push.delivery)")
        let outcomes = try #require(first["outcomes"] as? [[String: Any]])
        for outcome in outcomes { #expect(Set(outcome.keys) == ["rule", "build", "reason", "url"]) }
        try #require(outcomes.map { $0["rule"] as? Int } == [1, 2])
        #expect(outcomes[0]["build"] as? Int == 1)
        #expect(outcomes[0]["reason"] is NSNull)
        #expect(outcomes[0]["url"] as? String == "http://builds/api/v1/builds/1")
        #expect(outcomes[1]["build"] is NSNull)
        #expect(outcomes[1]["reason"] as? String == "/^release-([0-9]+)$/ does not match branch \"main\"")
        #expect(list.deliveries.first?["kind"] as? String == "trigger")
        #expect(list.deliveries.first?["token"] as? String == "nightly")
    }

    @Test func pagesAndChoices() async throws {
        let house = try await House()
        for _ in 1...3 { try await house.push() }
        _ = try await house.ask("POST", "/triggers/token-of-other%2Ftools", Data("{\"branch\": \"main\"}".utf8))
        let all = try await house.ask("GET", "/api/v1/deliveries").ids
        try #require(all.count == 4)
        var seen: [String] = []
        var target = "/api/v1/deliveries?limit=1"
        while true {
            let page = try await house.ask("GET", target)
            seen += page.ids
            guard let next = page.json["next"] as? String, seen.count < 10 else { break }
            target = "/api/v1/deliveries?limit=1&before=\(next)"
        }
        #expect(seen == all)
        #expect(try await house.ask("GET", "/api/v1/deliveries?kind=trigger,api").ids == [all[0]])
        #expect(try await house.ask("GET", "/api/v1/deliveries?repository=acme/shop").ids == Array(all.dropFirst()))
        #expect(try await house.ask("GET", "/api/v1/deliveries?repository=acme/shop&kind=trigger").ids == [])
    }

    @Test func oneShowsWhatWasReceivedAndNoSecret() async throws {
        let house = try await House()
        let id = try await house.push().delivery
        let whole = try await house.ask("GET", "/api/v1/deliveries/\(id)")
        #expect(Set(whole.json.keys) == Self.keys.union(["headers", "body", "body_encoding", "body_length"]))
        #expect(whole.json["body_encoding"] as? String == "utf-8")
        let body = try #require(whole.json["body"] as? String)
        #expect(body.contains("Say hello"))
        #expect(whole.json["body_length"] as? Int == body.utf8.count)
        let headers = try #require(whole.json["headers"] as? [[String: String]])
        #expect(headers.contains(["name": "X-Hub-Signature-256", "value": "•••"]))
        #expect(headers.contains(["name": "X-GitHub-Event", "value": "push"]))
    }

    @Test func bodiesThatAreNoTextAreBase64() throws {
        func whole(_ body: Data, length: Int) throws -> WholeDeliveryJSON {
            WholeDeliveryJSON(
                Delivery(
                    id: "x", repository: nil, kind: .webhook, host: nil, senderID: nil, event: nil, token: nil,
                    remoteAddress: "", headers: [], body: body, bodyLength: length, receivedAt: Date(),
                    redeliveryOf: nil, built: [], ignored: []), url: "")
        }
        let odd = Data([0xff, 0xfe])
        #expect(try whole(odd, length: 2).body_encoding == .base64)
        #expect(try whole(odd, length: 2).body == odd.base64EncodedString())
        // A bound that cuts through a character leaves a text; a whole body that ends so is none.
        let cut = Data("say é".utf8).dropLast()
        #expect(try whole(cut, length: 100).body == "say ")
        #expect(try whole(cut, length: cut.count).body_encoding == .base64)
    }

    @Test func tokensSeeOnlyTheirDeliveries() async throws {
        let house = try await House(access: [
            AccessToken(name: "acme", token: Secret("acme-token"), role: .build, repositories: ["acme/*"]),
            AccessToken(name: "reader", token: Secret("read-token"), role: .read),
        ])
        let ours = try await house.push().delivery
        let theirs = try await house.push(to: "/webhooks/other/tools").delivery
        let nobodys = try await house.push(to: "/webhooks", address: "https://git.example.com/x/y.git").delivery
        #expect(try await house.ask("GET", "/api/v1/deliveries").status == 401)
        #expect(try await house.ask("GET", "/api/v1/deliveries", token: "acme-token").ids == [ours])
        #expect(try await house.ask("GET", "/api/v1/deliveries", token: "read-token").ids == [nobodys, theirs, ours])
        for id in [theirs, nobodys] {
            #expect(try await house.ask("GET", "/api/v1/deliveries/\(id)", token: "acme-token").status == 404)
            let refused = try await house.ask("POST", "/api/v1/deliveries/\(id)/redeliver", token: "acme-token")
            #expect(refused.status == 404)
            #expect(try await house.ask("GET", "/api/v1/deliveries/\(id)", token: "read-token").status == 200)
        }
        #expect(try await house.ask("POST", "/api/v1/deliveries/\(ours)/redeliver", token: "read-token").status == 403)
        #expect(try await house.ask("POST", "/api/v1/builds/1/retry", token: "read-token").status == 403)
        #expect(try await house.ask("POST", "/api/v1/builds/2/retry", token: "acme-token").status == 404)
    }

    @Test func redeliveredWhatIsBuiltAlreadyIsIgnoredUnlessForced() async throws {
        let house = try await House(access: [AccessToken(name: "ops", token: Secret("ops-token"), role: .build)])
        let first = try await house.push()
        let again = try await house.ask("POST", "/api/v1/deliveries/\(first.delivery)/redeliver", token: "ops-token")
        #expect(again.status == 202)
        #expect(again.builds == [])
        let kept = try await house.ask("GET", "/api/v1/deliveries/\(again.delivery)", token: "ops-token")
        #expect(kept.json["redelivery_of"] as? String == first.delivery)
        #expect(kept.json["kind"] as? String == "webhook")
        #expect(kept.json["host"] as? String == "github")
        #expect(kept.json["token"] as? String == "ops")
        #expect(kept.json["sender_id"] is NSNull)
        // The build that is there already, and that it was not this delivery that made it.
        #expect(kept.outcomes.first?["build"] as? Int == 1)
        #expect((kept.outcomes.first?["reason"] as? String)?.contains("build 1") == true)
        let target = "/api/v1/deliveries/\(again.delivery)/redeliver?force=1"
        let forced = try await house.ask("POST", target, token: "ops-token")
        #expect(forced.builds == [2])
        let last = try await house.ask("GET", "/api/v1/deliveries/\(forced.delivery)", token: "ops-token")
        #expect(last.json["redelivery_of"] as? String == first.delivery)
    }

    @Test(arguments: [
        ("", 202, false), ("{}", 202, false), (#"{"no_cache": false}"#, 202, false),
        (#"{"no_cache": true}"#, 202, true),
        ("no_cache=1", 202, true), (#"{"nocache": true}"#, 400, false), (#"{"no_cache": 7}"#, 400, false),
        (#"{"branch": "main"}"#, 400, false),
    ])
    func aRetryMayAskForNoCache(body: String, status: Int, isFresh: Bool) async throws {
        let house = try await House()
        _ = try await house.push()
        try await house.failOne()
        #expect(try await house.ask("POST", "/api/v1/builds/1/retry", Data(body.utf8)).status == status)
        let build = try await house.store.build(2)
        #expect((build != nil) == (status == 202))
        #expect(build?.isFresh ?? false == isFresh)
        guard isFresh else { return }
        let shown = try await house.ask("GET", "/api/v1/builds/2")
        #expect(shown.json["no_cache"] as? Bool == true && shown.json["inputs"] is NSNull)
    }

    @Test func aFailedBuildIsRetried() async throws {
        let house = try await House(access: [AccessToken(name: "ops", token: Secret("ops-token"), role: .build)])
        let first = try await house.push()
        let early = try await house.ask("POST", "/api/v1/builds/1/retry", token: "ops-token")
        #expect(early.status == 409)
        #expect(early.detail == "build 1 is still pending; cancel it or wait for its end")
        try await house.failOne()
        let retry = try await house.ask("POST", "/api/v1/builds/1/retry", token: "ops-token")
        #expect(retry.status == 202)
        #expect(retry.builds == [2])
        let build = try await house.ask("GET", "/api/v1/builds/2", token: "ops-token")
        #expect((build.json["cause"] as? [String: Any])?["kind"] as? String == "retry")
        #expect(build.json["message"] as? String == "Say hello")
        let kept = try await house.ask("GET", "/api/v1/deliveries/\(retry.delivery)", token: "ops-token")
        #expect(kept.json["kind"] as? String == "retry")
        #expect(kept.json["token"] as? String == "ops")
        #expect(kept.json["redelivery_of"] as? String == first.delivery)
        // Told nothing that could be read again.
        let refused = try await house.ask("POST", "/api/v1/deliveries/\(retry.delivery)/redeliver", token: "ops-token")
        #expect(refused.status == 409)
    }

    @Test(arguments: [
        ("GET", "/api/v1/deliveries?kind=push", 400, "webhook, trigger, api, poll, retry"),
        ("GET", "/api/v1/deliveries?limit=501", 400, "from 1 to 500"),
        ("GET", "/api/v1/deliveries?repository=x", 400, "repository"),
        ("GET", "/api/v1/deliveries/00000000000000000000000000000000", 404, "no delivery"),
        ("POST", "/api/v1/deliveries/x/redeliver", 404, "no delivery"),
        ("POST", "/api/v1/builds/7/retry", 404, "no build"), ("GET", "/api/v1/builds/7/retry", 405, "POST"),
    ])
    func bad(method: String, target: String, status: Int, says: String) async throws {
        let reply = try await House().ask(method, target)
        #expect(reply.status == status)
        #expect(reply.detail.contains(says), "\(reply)")
    }
}
