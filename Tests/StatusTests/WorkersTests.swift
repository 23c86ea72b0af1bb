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

/// The workers as the API lists them, and what it says where none is there for a build.
@Suite struct WorkersTests {
    private struct House {
        let folder: TemporaryDirectory
        let store: DatabaseStore
        let time: ManualTime
        let router: Router

        private var database: String { URL(fileURLWithPath: folder.path).lastPathComponent }

        init(
            isShared: Bool = false, workers: Int = 2, runsOn: [String] = [], access: [AccessToken] = []
        ) async throws {
            folder = try TemporaryDirectory()
            time = ManualTime()
            if isShared {
                let server = try #require(try await PostgreSQLServer.shared())
                let url = try await server.database(URL(fileURLWithPath: folder.path).lastPathComponent)
                store = try await DatabaseStore.open(postgreSQL: PostgreSQLAddress(url: url), time: time)
            } else {
                store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: time)
            }
            let rule = Rule(
                number: 1, source: .branch(try Pattern("main")), tags: [try Template("latest")],
                commitTag: try Template("sha-{sha12}"), runsOn: runsOn)
            let settings = LiveSettings(
                Settings(
                    workers: workers, access: access, limits: Limits(delay: 0),
                    repositories: try ["acme/shop", "other/tools"].map { name in
                        Repository(
                            name: try RepositoryName(name), source: try GitSource("/srv/\(name).git"),
                            image: try ImageName("localhost:5000/\(name)"),
                            triggerTokens: [TriggerToken(name: "1", token: Secret("token-\(name)"))], rules: [rule])
                    }))
            router =
                API(
                    settings: settings, store: store,
                    receiver: Receiver(settings: settings, store: store) { _ in "main" }, time: time,
                    log: Log(sink: { _ in }), url: { "http://builds" }, fault: { nil }
                ).router
        }

        func close() async throws {
            await store.close()
            if store.isShared { try await PostgreSQLServer.shared()?.drop(database) }
        }

        struct Reply: @unchecked Sendable {
            let status: Int
            let json: [String: Any]
            let text: String
            var waits: [String] { json["waits"] as? [String] ?? [] }
            var workers: [[String: Any]] { json["workers"] as? [[String: Any]] ?? [] }
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

        func waits() async throws -> [String] { try await ask("GET", "/api/v1/service").waits }

        func trigger(_ name: String = "acme/shop") async throws {
            let encoded = name.replacing("/", with: "%2F")
            #expect(try await ask("POST", "/triggers/token-\(encoded)", "branch=main&force=true").status == 202)
        }

        func checkIn(_ name: String, _ labels: Set<String> = []) async throws {
            _ = try await store.checkIn(
                WorkerNote(name: name, labels: labels, slots: 2, version: "1.2.3", instance: name))
        }

        func claim(_ worker: String, _ limit: Int = 9) async throws -> [Build] {
            try await store.claim(limit: limit, worker: worker, lease: .seconds(600))
        }
    }

    private static let isShared = PostgreSQLServer.programs != nil
    private static let tokens = [
        AccessToken(name: "ops", token: Secret("ops-token"), role: .admin),
        AccessToken(name: "team", token: Secret("team-token"), role: .admin, repositories: ["acme/*"]),
        AccessToken(name: "reader", token: Secret("read-token"), role: .read, repositories: ["acme/*"]),
    ]

    // MARK: The list

    @Test func aWorkerIsShownWithWhatItRuns() async throws {
        let house = try await House(access: Self.tokens)
        #expect(try await house.ask("GET", "/api/v1/workers", token: "read-token").text == #"{"workers":[]}"#)
        try await house.checkIn("attic/1", ["gpu", "amd64"])
        for name in ["acme/shop", "other/tools"] { try await house.trigger(name) }
        _ = try await house.claim("attic/1")
        let all = try await house.ask("GET", "/api/v1/workers", token: "ops-token")
        let worker = try #require(all.workers.first)
        #expect(
            Set(worker.keys) == [
                "name", "state", "labels", "slots", "running", "builds", "version", "started_at", "seen_at",
            ])
        #expect(worker["name"] as? String == "attic/1" && worker["state"] as? String == "there")
        #expect(worker["labels"] as? [String] == ["amd64", "gpu"] && worker["slots"] as? Int == 2)
        #expect(worker["builds"] as? [Int] == [1, 2] && worker["running"] as? Int == 2)
        #expect(worker["seen_at"] as? String == Timestamp.text(house.time.now))
        // Others' builds are counted, and no more.
        let some = try await house.ask("GET", "/api/v1/workers", token: "read-token").workers.first
        #expect(some?["builds"] as? [Int] == [1] && some?["running"] as? Int == 2)
        #expect(try await house.ask("GET", "/api/v1/workers").status == 401)
        try await house.close()
    }

    @Test func aWorkerIsDrainedAndResumedByName() async throws {
        let house = try await House(access: Self.tokens)
        try await house.checkIn("attic/1")
        try await house.trigger()
        let build = try #require(try await house.claim("attic/1").first)
        let path = "/api/v1/workers/attic%2F1"
        let draining = try await house.ask("POST", path + "/drain", token: "ops-token")
        #expect(draining.status == 200 && draining.json["state"] as? String == "draining", "\(draining.text)")
        #expect(try await house.ask("GET", "/readyz").text.contains("every worker is drained"))
        try await house.store.fail(build.hold, Failure(.build, .build, "no"))
        #expect(
            try await house.ask("GET", "/api/v1/workers", token: "ops-token").workers.first?["state"] as? String
                == "drained")
        try await house.trigger()
        #expect(try await house.claim("attic/1").isEmpty)
        let resumed = try await house.ask("POST", path + "/resume", token: "ops-token")
        #expect(resumed.json["state"] as? String == "there")
        #expect(try await house.claim("attic/1").count == 1)
        #expect(try await house.ask("GET", "/readyz").text == "ready\n")
        try await house.close()
    }

    @Test(
        arguments: [
            ("POST", "/api/v1/workers/w/drain", nil, 401), ("POST", "/api/v1/workers/w/drain", "read-token", 403),
            ("POST", "/api/v1/workers/w/drain", "team-token", 403),
            ("POST", "/api/v1/workers/v/drain", "ops-token", 404),
            ("POST", "/api/v1/workers/v/resume", "ops-token", 404),
            ("GET", "/api/v1/workers/w/drain", "ops-token", 405),
        ] as [(String, String, String?, Int)])
    func refused(method: String, target: String, token: String?, status: Int) async throws {
        let house = try await House(access: Self.tokens)
        try await house.checkIn("w")
        #expect(try await house.ask(method, target, token: token).status == status)
        #expect(try await house.store.workers().map(\.isDrained) == [false])
        try await house.close()
    }

    // MARK: Why builds wait

    @Test func aServiceAloneWithoutWorkersOnlyReceives() async throws {
        let house = try await House(workers: 0)
        #expect(try await house.waits() == ["builds wait: this service has no workers, it only receives"])
        // One of a former life is not there.
        try await house.checkIn("w")
        #expect(try await house.waits() == ["builds wait: this service has no workers, it only receives"])
        try await house.close()
    }

    @Test(.enabled(if: isShared, "needs PostgreSQL"))
    func othersWorkersAreWorkersToo() async throws {
        let house = try await House(isShared: true, workers: 0)
        #expect(
            try await house.waits() == [
                "builds wait: this service has no workers, it only receives, and no other worker is there"
            ])
        for name in ["a", "b"] { try await house.checkIn(name) }
        #expect(try await house.waits() == [])
        _ = try await house.store.drain("a", true)
        #expect(try await house.waits() == [])
        _ = try await house.store.drain("b", true)
        #expect(try await house.waits().map { $0.hasPrefix("builds wait: every worker is drained") } == [true])
        house.time.advance(by: .seconds(60))
        #expect(try await house.waits().map { $0.hasSuffix("no other worker is there") } == [true])
        #expect(
            try await house.ask("GET", "/api/v1/workers").workers.compactMap { $0["state"] as? String } == [
                "drained", "drained",
            ])
        _ = try await house.store.drain("b", false)
        #expect(try await house.ask("GET", "/api/v1/workers").workers.last?["state"] as? String == "lost")
        try await house.close()
    }

    @Test(
        arguments: [
            (["gpu"], [["gpu", "big"]], nil), (["gpu"], [[]], #"no worker that is there has the label "gpu""#),
            (["big", "gpu"], [["big"]], #"no worker that is there has the label "gpu""#),
            (["arm64", "big", "gpu"], [["big"]], #"no worker that is there has the labels "arm64" and "gpu""#),
            (["big", "gpu"], [["big"], ["gpu"]], #"no worker that is there has the labels "big" and "gpu" together"#),
        ] as [([String], [Set<String>], String?)])
    func whatNobodyHasIsNamed(labels: [String], workers: [Set<String>], sentence: String?) throws {
        let force = Workforce(
            workers.enumerated().map { place, labels in
                WorkerState(
                    note: WorkerNote(name: "\(place)", labels: labels, slots: 1, version: "", instance: ""),
                    startedAt: Date(), seenAt: Date(), isThere: true, isDrained: false, builds: [])
            })
        #expect(force.lack(of: labels) == sentence)
    }

    @Test(arguments: isShared ? [false, true] : [false])
    func aBuildThatNobodyTakesSaysWhichLabelIsMissing(isShared: Bool) async throws {
        let house = try await House(isShared: isShared, runsOn: ["gpu"])
        try await house.checkIn("w", ["amd64"])
        #expect(try await house.waits() == [])
        try await house.trigger()
        let sentence = #"no worker that is there has the label "gpu""#
        #expect(try await house.ask("GET", "/api/v1/builds/1").json["waits"] as? String == sentence)
        let list = try await house.ask("GET", "/api/v1/builds").json["builds"] as? [[String: Any]]
        #expect(list?.first?["waits"] as? String == sentence)
        #expect(try await house.waits() == ["some builds wait: \(sentence)"])
        _ = try await house.store.checkIn(
            WorkerNote(name: "w", labels: ["gpu"], slots: 2, version: "", instance: "w"))
        #expect(try await house.ask("GET", "/api/v1/builds/1").json["waits"] is NSNull)
        #expect(try await house.waits() == [])
        #expect(try await house.claim("w").count == 1)
        #expect(try await house.ask("GET", "/api/v1/builds/1").json["waits"] is NSNull)
        try await house.close()
    }

    @Test func aRulesLabelsAreShown() async throws {
        let house = try await House(runsOn: ["gpu"])
        let rules = try await house.ask("GET", "/api/v1/repositories/acme/shop").json["rules"] as? [[String: Any]]
        #expect(rules?.first?["runs_on"] as? [String] == ["gpu"])
        try await house.close()
    }
}
