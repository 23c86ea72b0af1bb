import Foundation
import Model
import Platform
import Queue
import Settings
import TestSupport
import Testing

@testable import Intake

/// Which rules a trigger starts, and what is kept of it.
@Suite struct TriggerRulesTests {
    private struct House {
        let folder: TemporaryDirectory
        let store: DatabaseStore
        let receiver: Receiver

        init(silent: Bool = false) async throws {
            folder = try TemporaryDirectory()
            store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
            func rule(_ number: Int, _ source: Rule.Source, _ tag: String, allows: [String] = []) throws -> Rule {
                Rule(
                    number: number, source: source, tags: [try Template(tag)], commitTag: try Template("sha-{sha12}"),
                    buildArgs: ["CHANNEL": "stable", "OWN": "1"], triggerBuildArgs: allows)
            }
            let repository = Repository(
                name: try RepositoryName("acme/shop"), source: try GitSource("/srv/shop.git"),
                image: try ImageName("localhost:5000/acme/shop"),
                triggerTokens: [
                    TriggerToken(name: "nightly", token: Secret("night"), rules: [1]),
                    TriggerToken(name: "ops", token: Secret("day")),
                ],
                rules: [
                    try rule(1, .branch(try Pattern("main")), "latest", allows: ["CHANNEL"]),
                    try rule(2, .branch(try Pattern("/^(main|dev)$/")), "b-{sourceref}"),
                    try rule(3, .defaultBranch, "head", allows: ["CHANNEL", "MIRROR"]),
                ])
            receiver = Receiver(settings: LiveSettings(Settings(repositories: [repository])), store: store) { _ in
                if silent { throw InvalidText("it is off") }
                return "main"
            }
        }

        func trigger(_ body: String, token: String = "day") async throws -> Receiver.Answer {
            let inbound = Inbound(
                headers: [Header(name: "User-Agent", value: "curl/8")], body: Data(body.utf8),
                remoteAddress: "192.0.2.7", receivedAt: SystemTime().now)
            return try await receiver.trigger(receiver.holder(ofToken: token), inbound)
        }

        func deliveries() async throws -> [Delivery] {
            try await store.deliveries(DeliveryQuery())
        }
    }

    @Test(
        arguments: [
            ("", [1, 3], [2: "names no single branch"]),
            ("branch=main", [1, 2, 3], [:]),
            ("branch=dev", [2], [1: "not \"dev\"", 3: "not \"dev\""]),
            (
                "docker_tag=latest", [1],
                [2: "it makes the tag \"b-{sourceref}\", not \"latest\"", 3: "it makes the tag"]
            ),
            // both must hold
            ("docker_tag=latest&source_name=dev", [], [1: "not \"dev\"", 2: "it makes", 3: "it makes"]),
            ("docker_tag=latest&source_name=main", [1], [2: "it makes", 3: "it makes"]),
            // what one rule allows, another may not
            (
                "branch=main&build_args[CHANNEL]=beta", [1, 3],
                [2: "it does not let a trigger set build argument CHANNEL; list it under trigger_build_args"]
            ),
            ("branch=main&build_args[CHANNEL]=beta&build_args[MIRROR]=x", [3], [1: "MIRROR", 2: "CHANNEL"]),
            // a rule that doesn't match says so first
            ("branch=dev&build_args[CHANNEL]=beta", [], [1: "not \"dev\"", 2: "CHANNEL", 3: "not \"dev\""]),
            ("commit=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", [1, 2, 3], [:]),
        ] as [(String, [Int], [Int: String])])
    func rules(body: String, built: [Int], ignored: [Int: String]) async throws {
        let house = try await House()
        let answer = try await house.trigger(body)
        #expect(answer.builds.map(\.rule.number) == built)
        #expect(Set(answer.ignored.compactMap(\.rule)) == Set(ignored.keys))
        for (rule, words) in ignored {
            let reason = answer.ignored.first { $0.rule == rule }?.reason ?? ""
            #expect(reason.contains(words), "rule \(rule): \(reason)")
        }
    }

    @Test func buildArgumentsTakeThePlaceOfTheRules() async throws {
        let answer = try await House().trigger("{\"docker_tag\": \"head\", \"build_args\": {\"CHANNEL\": \"beta\"}}")
        #expect(answer.builds.map(\.rule.buildArgs) == [["CHANNEL": "beta", "OWN": "1"]])
    }

    @Test func aTokenStartsOnlyItsRules() async throws {
        let house = try await House()
        let answer = try await house.trigger("branch=main", token: "night")
        #expect(answer.builds.map(\.rule.number) == [1])
        #expect(answer.ignored.map(\.rule) == [2, 3])
        #expect(answer.ignored.allSatisfy { $0.reason == "the token \"nightly\" is not for it" })
        #expect(throws: IntakeError.self) { try house.receiver.holder(ofToken: "nigh") }
        #expect(throws: IntakeError.self) { try house.receiver.holder(ofToken: "") }
    }

    /// The log of triggers: who, from where, with what, and what came of it.
    @Test func everyTriggerIsKept() async throws {
        let house = try await House()
        let good = try await house.trigger("branch=main", token: "night")
        await #expect(throws: IntakeError.self) { try await house.trigger("{\"branch\": 5}") }
        let kept = try await house.deliveries()
        #expect(kept.map(\.token) == ["ops", "nightly"])
        #expect(kept.allSatisfy { $0.remoteAddress == "192.0.2.7" && $0.kind == .trigger })
        #expect(kept.last?.id == good.delivery)
        #expect(kept.last?.built.map(\.rule) == [1])
        #expect(kept.first?.built.isEmpty == true)
        #expect(kept.first?.ignored.map(\.rule) == [nil])
        #expect(kept.first?.ignored.first?.reason.contains("\"branch\" is of another type") == true)
        let whole = try await house.store.delivery(try #require(kept.first?.id))
        #expect(whole?.body == Data("{\"branch\": 5}".utf8))
    }

    @Test func aSilentSourceIsToldAndKept() async throws {
        let house = try await House(silent: true)
        let error = await #expect(throws: IntakeError.self) { try await house.trigger("docker_tag=head") }
        #expect(error?.description.contains("it is off") == true)
        #expect(try await house.deliveries().first?.ignored.first?.reason.contains("it is off") == true)
        // A token that isn't for the rule that needs the default branch doesn't ask for it.
        #expect(try await house.trigger("", token: "night").builds.map(\.rule.number) == [1])
    }

    @Test func forceBuildsWhatIsThere() async throws {
        let house = try await House()
        let body = "branch=main&docker_tag=latest&commit=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        let first = try await house.trigger(body)
        let again = try await house.trigger(body)
        #expect(again.builds.isEmpty)
        #expect(again.ignored.compactMap(\.build) == first.builds.map(\.id))
        #expect(try await house.trigger(body + "&force=true").builds.count == 1)
    }
}
