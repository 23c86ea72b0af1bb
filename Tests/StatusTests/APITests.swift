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

/// Not Testing's.
private typealias Tag = Model.Tag

/// The HTTP surface over a real store.
@Suite struct APITests {
    private struct House {
        let folder: TemporaryDirectory
        let store: DatabaseStore
        let router: Router
        let settings: LiveSettings

        init(
            access: [AccessToken] = [], look: @escaping @Sendable ([ImageReference]) -> Void = { _ in }
        ) async throws {
            folder = try TemporaryDirectory()
            store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
            let rules = [
                Rule(
                    number: 1, source: .branch(try Pattern("main")), tags: [try Template("latest")],
                    commitTag: try Template("sha-{sha12}"))
            ]
            settings = LiveSettings(
                Settings(
                    access: access, limits: Limits(delay: 0),
                    repositories: try ["acme/shop", "other/tools"].map { name in
                        Repository(
                            name: try RepositoryName(name), source: try GitSource("/srv/\(name).git"),
                            image: try ImageName("localhost:5000/\(name)"), webhookSecrets: [Secret("hush")],
                            triggerTokens: [TriggerToken(name: "1", token: Secret("token-of-\(name)"))], rules: rules)
                    }))
            let receiver = Receiver(settings: settings, store: store) { _ in "main" }
            router =
                API(
                    settings: settings, store: store, receiver: receiver, time: SystemTime(), log: Log(sink: { _ in }),
                    url: { "http://builds" }, fault: { nil }, look: look
                ).router
        }

        func ask(_ method: String, _ target: String, _ body: String = "", token: String? = nil) async throws
            -> HTTPResponse
        {
            let headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
            return await router.answer(
                try HTTPRequest(method: method, target: target, headers: headers, body: Data(body.utf8)))
        }

        func json(_ response: HTTPResponse) throws -> [String: Any] {
            guard case .data(let data) = response.body else { return [:] }
            return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        }

        func text(_ response: HTTPResponse) async throws -> String {
            switch response.body {
            case .data(let data): return String(decoding: data, as: UTF8.self)
            case .stream(let next):
                var all = Data()
                while let piece = try await next() { all += piece }
                return String(decoding: all, as: UTF8.self)
            }
        }
    }

    // MARK: Registries

    /// A registry tells of a push: Slipway looks by itself, at what is in use.
    @Test func aRegistryMayTellWhereToLook() async throws {
        let told = Mutex<[String]>([])
        let house = try await House { images in told.withLock { $0 += images.map(\.text) } }
        // A build stands on localhost:5000/acme/base:1, and a tag points at it.
        let reply = try await house.ask("POST", "/triggers/token-of-acme%2Fshop", #"{"source_name": "main"}"#)
        #expect(reply.status == 202)
        var settings = house.settings.now
        settings.limits.perAddress = try Rate("2/h")
        _ = house.settings.change(to: settings)
        let build = try #require(try await house.store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
        let hold = build.hold
        let commit = try CommitID(String(repeating: "a", count: 40))
        let names = try build.rule.names(
            for: build.ref, captures: build.captures, commit: commit, acceptedAt: build.createdAt)
        try await house.store.resolve(hold, Resolution(commit: commit, message: "m", author: "a", names: names))
        let digest = try Digest("sha256:" + String(repeating: "0", count: 64))
        let base = BaseImage(image: try ImageName("localhost:5000/acme/base"), tag: try Tag("1"), digest: digest)
        try await house.store.inputs(hold, BuildInputs(bases: [base]), reuse: "")
        try await house.store.startPushing(hold, commitTag: names.commitTag)
        try await house.store.pushed(hold, digest: digest)
        _ = try await house.store.startMoving(hold, tag: names.tags[0])
        try await house.store.moved(hold, tag: names.tags[0])
        try await house.store.finish(hold)

        func tell(_ path: String, _ tag: String) async throws -> HTTPResponse {
            let target = #"{"repository": "\#(path)", "tag": "\#(tag)"}"#
            let event = #"{"action": "push", "target": \#(target), "request": {"host": "registry:5000"}}"#
            return try await house.ask("POST", "/webhooks/registry", #"{"events": [\#(event)]}"#)
        }
        let looked = try await tell("acme/base", "1")
        #expect(looked.status == 200)
        #expect(try house.json(looked)["looked_at"] as? [String] == ["localhost:5000/acme/base:1"])
        #expect(told.withLock { $0 } == ["localhost:5000/acme/base:1"])
        // What is not in use costs nothing, however often it is told.
        for _ in 1...5 {
            let other = try await tell("acme/base", "2")
            #expect(other.status == 200)
            #expect(try house.json(other)["looked_at"] as? [String] == [])
        }
        #expect(told.withLock { $0.count } == 1)
        // An address may make it look so often, and no more.
        #expect(try await tell("acme/base", "1").status == 200)
        let refused = try await tell("acme/base", "1")
        #expect(refused.status == 429 && refused.headers.contains { $0.name == "Retry-After" })
        #expect(told.withLock { $0.count } == 2)
        for body in ["", "{", "{}", #"{"ref": "refs/heads/main"}"#] {
            #expect(try await house.ask("POST", "/webhooks/registry", body).status == 400)
        }
    }

    /// What is asked after the settings changed is answered by the new ones.
    @Test func changedSettingsHoldForTheNextRequest() async throws {
        func token(_ text: String) -> AccessToken {
            AccessToken(name: text, token: Secret(text), role: .admin, repositories: ["*"])
        }
        let house = try await House(access: [token("old")])
        #expect(try await house.ask("GET", "/api/v1/repositories/acme/shop", token: "old").status == 200)
        #expect(try await house.ask("POST", "/triggers/token-of-acme%2Fshop", "{}").status == 202)
        var settings = house.settings.now
        settings.access = [token("new")]
        settings.repositories[0].triggerTokens = [TriggerToken(name: "1", token: Secret("other-token"))]
        settings.repositories.remove(at: 1)
        _ = house.settings.change(to: settings)
        #expect(try await house.ask("GET", "/api/v1/repositories/acme/shop", token: "old").status == 401)
        #expect(try await house.ask("GET", "/api/v1/repositories/acme/shop", token: "new").status == 200)
        #expect(try await house.ask("GET", "/api/v1/repositories/other/tools", token: "new").status == 404)
        #expect(try await house.ask("POST", "/triggers/token-of-acme%2Fshop", "{}").status == 404)
        #expect(try await house.ask("POST", "/triggers/token-of-other%2Ftools", "{}").status == 404)
        #expect(try await house.ask("POST", "/triggers/other-token", "{}").status == 202)
    }

    @Test func aTriggerMakesABuildWithEveryKey() async throws {
        let house = try await House()
        let reply = try await house.ask("POST", "/triggers/token-of-acme%2Fshop", "{\"branch\": \"main\"}")
        #expect(reply.status == 202)
        let build = try #require(try (house.json(reply)["builds"] as? [[String: Any]])?.first)
        let keys: Set = [
            "id", "repository", "state", "ref", "branch", "tag", "commit", "message", "author", "rule", "dockerfile",
            "context",
            "image", "commit_tag", "digest", "tags", "cause", "attempt", "reused", "inputs", "reuse", "no_cache",
            "error", "tries",
            "retry_at", "waits", "stop", "superseded_by", "reason", "created_at",
            "started_at",
            "pushing_at", "finished_at", "url", "log_url",
        ]
        #expect(Set(build.keys) == keys)
        #expect(build["state"] as? String == "pending")
        #expect(build["tag"] is NSNull)
        #expect(build["url"] as? String == "http://builds/api/v1/builds/1")
    }

    @Test func aRepositoryShowsItsTagsAndWhatElseIsThere() async throws {
        let house = try await House()
        let digest = try Digest("sha256:" + String(repeating: "1", count: 64))
        let other = try Digest("sha256:" + String(repeating: "2", count: 64))
        let commit = String(repeating: "c", count: 40)
        _ = try await house.ask("POST", "/api/v1/repositories/acme/shop/builds", "{\"commit\": \"\(commit)\"}")
        let build = try #require(try await house.store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
        let names = try build.rule.names(
            for: build.ref, captures: build.captures, commit: CommitID(commit), acceptedAt: build.createdAt)
        try await house.store.resolve(
            build.hold, Resolution(commit: CommitID(commit), message: "", author: "", names: names))
        try await house.store.startPushing(build.hold, commitTag: names.commitTag)
        try await house.store.pushed(build.hold, digest: digest)
        _ = try await house.store.startMoving(build.hold, tag: Tag("latest"))
        try await house.store.moved(build.hold, tag: Tag("latest"))
        func tag() async throws -> [String: Any]? {
            let shown = try house.json(try await house.ask("GET", "/api/v1/repositories/acme/shop"))
            return (shown["tags"] as? [[String: Any]])?.first
        }
        let before = try #require(try await tag())
        #expect(Set(before.keys) == ["name", "build", "commit", "digest", "moved_elsewhere"])
        #expect(before["name"] as? String == "latest" && before["build"] as? Int == 1)
        #expect(before["commit"] as? String == commit && before["digest"] as? String == digest.text)
        #expect(before["moved_elsewhere"] is NSNull)
        let place = try #require(try await house.store.tags(of: build.image).first)
        for found in [other, nil] {
            let since = Date(timeIntervalSince1970: 1_795_305_599)
            try await house.store.found(FoundTag(digest: found, since: since), at: place)
            let elsewhere = try #require(try await tag()?["moved_elsewhere"] as? [String: Any])
            #expect(elsewhere["digest"] as? String == found?.text)
            #expect(elsewhere["since"] as? String == "2026-11-21T23:59:59.000Z")
        }
        let list = try house.json(try await house.ask("GET", "/api/v1/repositories"))
        let first = try #require((list["repositories"] as? [[String: Any]])?.first)
        #expect(first["tags"] == nil)
    }

    @Test func rulesThatDontBuildSayWhy() async throws {
        let house = try await House()
        let reply = try await house.ask("POST", "/api/v1/repositories/acme/shop/builds", "{\"tag\": \"v1\"}")
        #expect(reply.status == 202)
        let ignored = try #require(try house.json(reply)["ignored"] as? [[String: Any]])
        #expect(ignored.first?["rule"] as? Int == 1)
        #expect(ignored.first?["reason"] as? String == "it builds branches, not tag \"v1\"")
    }

    @Test func listsHavePages() async throws {
        let house = try await House()
        for _ in 1...5 { _ = try await house.ask("POST", "/triggers/token-of-acme%2Fshop", "branch=main&force=true") }
        var seen: [Int] = []
        var target = "/api/v1/builds?limit=2"
        while true {
            let page = try house.json(try await house.ask("GET", target))
            seen += (page["builds"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? Int }
            guard let next = page["next"] as? Int else { break }
            target = "/api/v1/builds?limit=2&before=\(next)"
        }
        #expect(seen == [5, 4, 3, 2, 1])
    }

    @Test func tokensSeeOnlyTheirRepositories() async throws {
        let house = try await House(access: [
            AccessToken(name: "acme", token: Secret("acme-token"), role: .build, repositories: ["acme/*"])
        ])
        _ = try await house.ask("POST", "/triggers/token-of-other%2Ftools", "{\"branch\": \"main\"}")
        _ = try await house.ask("POST", "/triggers/token-of-acme%2Fshop", "{\"branch\": \"main\"}")
        #expect(try await house.ask("GET", "/api/v1/builds").status == 401)
        let list = try house.json(try await house.ask("GET", "/api/v1/builds", token: "acme-token"))
        #expect((list["builds"] as? [[String: Any]])?.map { $0["id"] as? Int } == [2])
        #expect(try await house.ask("GET", "/api/v1/builds/1", token: "acme-token").status == 404)
        #expect(try await house.ask("GET", "/api/v1/builds/2", token: "acme-token").status == 200)
        #expect(try await house.ask("GET", "/api/v1/repositories/other/tools", token: "acme-token").status == 404)
        let foreign = try await house.ask("POST", "/api/v1/repositories/other/tools/builds", "{}", token: "acme-token")
        #expect(foreign.status == 404)
    }

    @Test func waitingEndsWithTheChange() async throws {
        let house = try await House()
        _ = try await house.ask("POST", "/triggers/token-of-acme%2Fshop", "{\"branch\": \"main\"}")
        async let waiting = house.ask("GET", "/api/v1/builds/1?wait=60s&seen=pending")
        let build = try #require(try await house.store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
        #expect(try house.json(try await waiting)["state"] as? String == "building")
        // What was seen is over already: the answer comes at once.
        #expect(
            try house.json(try await house.ask("GET", "/api/v1/builds/1?wait=60s&seen=pending"))["state"] as? String
                == "building")
        try await house.store.fail(build.hold, Failure(.build, .build, "line 3"))
        let end = try house.json(try await house.ask("GET", "/api/v1/builds/1?wait=60s"))
        #expect((end["error"] as? [String: Any])?["message"] as? String == "line 3")
    }

    @Test func aLogIsFollowedToTheEnd() async throws {
        let house = try await House()
        _ = try await house.ask("POST", "/triggers/token-of-acme%2Fshop", "{\"branch\": \"main\"}")
        let build = try #require(try await house.store.claim(limit: 1, worker: "w", lease: .seconds(60)).first)
        try await house.store.append(build.hold, log: Data("one\n".utf8))
        let response = try await house.ask("GET", "/api/v1/builds/1/log?follow=1")
        async let all = house.text(response)
        try await house.store.append(build.hold, log: Data("two\n".utf8))
        try await house.store.fail(build.hold, Failure(.build, .build, "x"))
        #expect(try await all == "one\ntwo\n")
        let rest = try await house.text(try await house.ask("GET", "/api/v1/builds/1/log?offset=4"))
        #expect(rest == "two\n")
    }

    @Test(arguments: [
        ("GET", "/api/v1/builds?state=done", 400, "pending, building"), ("GET", "/api/v1/builds?limit=0", 400, "limit"),
        ("GET", "/api/v1/builds?repository=x", 400, "repository"), ("GET", "/api/v1/builds/7", 404, "no build"),
        ("GET", "/api/v1/builds/x", 404, "no build"), ("POST", "/webhooks/acme/shup", 404, "nearest is acme"),
        ("POST", "/webhooks/acme/shop", 401, "X-Hub-Signature-256"), ("POST", "/triggers/nope", 404, "trigger token"),
        ("DELETE", "/api/v1/builds", 405, "GET"), ("GET", "/nope", 404, "nothing"),
    ])
    func bad(method: String, target: String, status: Int, says: String) async throws {
        let house = try await House()
        let response = try await house.ask(method, target)
        #expect(response.status == status)
        #expect(
            response.headers.contains { $0.name == "Content-Type" && $0.value.hasPrefix("application/problem+json") })
        #expect((try house.json(response)["detail"] as? String)?.contains(says) == true, "\(response)")
    }
}
