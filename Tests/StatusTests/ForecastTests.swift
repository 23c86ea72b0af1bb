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

/// What an image would be made of, asked over HTTP.
@Suite struct ForecastTests {
    private static let commit = String(repeating: "c", count: 40)
    private static let digest = "sha256:" + String(repeating: "d", count: 64)

    private struct House {
        let folder: TemporaryDirectory
        let router: Router

        init(_ find: Forecast.Find?) async throws {
            folder = try TemporaryDirectory()
            let store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
            let rule = Rule(
                number: 1, source: .branch(try Pattern("main")), tags: [try Template("latest")],
                commitTag: try Template("sha-{sha12}"), dockerfile: "docker/Dockerfile")
            let settings = Settings(
                access: [
                    AccessToken(name: "r", token: Secret("read"), role: .read, repositories: ["acme/*"]),
                    AccessToken(name: "o", token: Secret("other"), role: .admin, repositories: ["other/*"]),
                ],
                repositories: [
                    Repository(
                        name: try RepositoryName("acme/shop"), source: try GitSource("/srv/shop.git"),
                        image: try ImageName("localhost:5000/acme/shop"), rules: [rule])
                ])
            router =
                API(
                    settings: LiveSettings(settings), store: store,
                    receiver: Receiver(settings: LiveSettings(settings), store: store) { _ in "main" },
                    time: SystemTime(), log: Log(sink: { _ in }), url: { "http://builds" }, fault: { nil },
                    forecast: find
                ).router
        }

        func ask(_ query: String, token: String? = "read", name: String = "acme/shop") async throws -> (Int, String) {
            let headers = token.map { [("Authorization", "Bearer \($0)")] } ?? []
            let target = "/api/v1/repositories/\(name)/inputs?\(query)"
            let response = await router.answer(try HTTPRequest(method: "GET", target: target, headers: headers))
            guard case .data(let data) = response.body else { return (response.status, "") }
            return (response.status, String(decoding: data, as: UTF8.self))
        }
    }

    @Test func itTellsWhatAnImageIsMadeOf() async throws {
        let house = try await House { repository, rule, ref, commit in
            #expect(repository.name.text == "acme/shop" && rule.number == 1 && ref.text == "refs/heads/main")
            #expect(commit?.text == Self.commit)
            let base = BaseImage(
                image: try ImageName("debian"), tag: try Tag("bookworm"), digest: try Digest(Self.digest))
            return Forecast(
                commit: try CommitID(Self.commit), inputs: BuildInputs(key: try Digest(Self.digest), bases: [base]),
                reusable: 41, reuse: "its inputs are those of build 41")
        }
        let (status, text) = try await house.ask("rule=1&branch=main&commit=\(Self.commit)")
        #expect(status == 200)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(json["reusable"] as? Int == 41 && json["reuse"] as? String == "its inputs are those of build 41")
        #expect(json["commit"] as? String == Self.commit && json["dockerfile"] as? String == "docker/Dockerfile")
        #expect(json["image"] as? String == "localhost:5000/acme/shop" && json["context"] as? String == "/docker")
        let inputs = try #require(json["inputs"] as? [String: Any])
        #expect(inputs["key"] as? String == Self.digest && inputs["doubt"] is NSNull)
        let bases = try #require(inputs["bases"] as? [[String: String]])
        #expect(bases == [["image": "docker.io/library/debian:bookworm", "digest": Self.digest]])
        #expect(try JSONDecoder().decode(ForecastJSON.self, from: Data(text.utf8)).reusable == 41)
    }

    @Test(arguments: [
        ("rule=1&branch=main", nil, "acme/shop", 401, "token"),
        ("rule=1&branch=main", "other", "acme/shop", 404, "may see"),
        ("rule=1&branch=main", "read", "acme/none", 404, "may see"),
        ("rule=2&branch=main", "read", "acme/shop", 404, "rule 2"),
        ("rule=x&branch=main", "read", "acme/shop", 400, "rule"), ("rule=1", "read", "acme/shop", 400, "branch or tag"),
        ("rule=1&branch=a&tag=b", "read", "acme/shop", 400, "branch or tag"),
        ("rule=1&branch=a&commit=12", "read", "acme/shop", 400, "commit"),
        ("rule=1&branch=main", "read", "acme/shop", 503, "the source is silent"),
    ])
    func whatCannotBeAnswered(query: String, token: String?, name: String, status: Int, says: String) async throws {
        let house = try await House { _, _, _, _ in throw Failure(.system, .checkout, "the source is silent") }
        let (answered, text) = try await house.ask(query, token: token, name: name)
        #expect(answered == status)
        #expect(text.contains(says))
    }

    @Test func aServiceThatOnlyReceivesSaysSo() async throws {
        let (status, text) = try await House(nil).ask("rule=1&branch=main")
        #expect(status == 503 && text.contains("it only receives"))
    }

    /// Each asks a Git host and registries: not many at once.
    @Test(.timeLimit(.minutes(6))) func onlyAFewAreMadeAtOnce() async throws {
        let (begun, hasBegun) = AsyncStream<Void>.makeStream()
        let (over, isOver) = AsyncStream<Void>.makeStream()
        let house = try await House { _, _, _, _ in
            hasBegun.yield()
            for await _ in over {}
            return Forecast(
                commit: try CommitID(Self.commit), inputs: BuildInputs(doubt: "d"), reusable: nil, reuse: "d")
        }
        async let first = house.ask("rule=1&branch=main")
        async let second = house.ask("rule=1&branch=main")
        var count = 0
        for await _ in begun {
            count += 1
            if count == Forecast.most { break }
        }
        let (status, text) = try await house.ask("rule=1&branch=main")
        #expect(status == 429 && text.contains("in a moment"))
        isOver.finish()
        #expect(try await first.0 == 200)
        #expect(try await second.0 == 200)
        #expect(try await house.ask("rule=1&branch=main").0 == 200)
    }
}
