import Foundation
import Model
import Platform
import Queue
import Settings
import TestSupport
import Testing

@testable import Intake

/// What is taken again on somebody's word: deliveries and builds.
@Suite struct AgainTests {
    private static let commit = String(repeating: "a1", count: 20)

    private struct House {
        let folder: TemporaryDirectory
        let store: DatabaseStore
        let receiver: Receiver

        init(_ rules: [Rule]? = nil, name: String = "acme/shop") async throws {
            folder = try TemporaryDirectory()
            store = try await DatabaseStore.open(sqlite: folder["slipway.sqlite"], time: SystemTime())
            let settings = Settings(repositories: [
                Repository(
                    name: try RepositoryName(name), source: try GitSource("https://git.example.com/acme/shop.git"),
                    image: try ImageName("localhost:5000/acme/shop"),
                    triggerTokens: [TriggerToken(name: "nightly", token: Secret("t"), rules: [2])],
                    rules: try rules ?? [AgainTests.rule(1, branch: "main"), AgainTests.rule(2, branch: "dev")])
            ])
            receiver = Receiver(settings: LiveSettings(settings), store: store) { _ in "main" }
        }

        func redeliver(_ delivery: Delivery, force: Bool = false) async throws -> Receiver.Answer {
            try await receiver.redeliver(delivery, by: "ops", force: force, AgainTests.request)
        }

        func retry(_ build: Build) async throws -> Receiver.Answer {
            try await receiver.retry(build, by: "ops", AgainTests.request)
        }
    }

    private static let request = Inbound(headers: [], body: Data(), remoteAddress: "192.0.2.7", receivedAt: Date())

    private static func rule(_ number: Int, branch: String) throws -> Rule {
        Rule(
            number: number, source: .branch(try Pattern(branch)), tags: [try Template("latest")],
            commitTag: try Template("sha-{sha12}"))
    }

    /// As the store gives it back.
    private func kept(
        _ kind: Cause.Kind = .webhook, _ body: String? = nil, host: String? = "github",
        repository: String? = "acme/shop",
        headers: [String: String] = ["X-GitHub-Event": "push", "X-Hub-Signature-256": "•••"], length: Int? = nil,
        token: String? = nil
    ) throws -> Delivery {
        let push = """
            {"ref": "refs/heads/main", "after": "\(Self.commit)",
            "repository": {"clone_url": "https://git.example.com/acme/shop.git", "default_branch": "main"}}
            """
        let body = Data((body ?? push).utf8)
        return Delivery(
            id: String(repeating: "0", count: 32), repository: try repository.map { try RepositoryName($0) },
            kind: kind,
            host: kind == .webhook ? host : nil, senderID: "1", event: "push", token: token, remoteAddress: "127.0.0.1",
            headers: headers.map { Header(name: $0.key, value: $0.value) }, body: body,
            bodyLength: length ?? body.count, receivedAt: Date(), redeliveryOf: nil, built: [], ignored: [])
    }

    // MARK: Deliveries

    @Test func aWebhookIsReadAgainWithoutItsProof() async throws {
        let answer = try await House().redeliver(kept())
        #expect(answer.builds.map(\.commit?.text) == [Self.commit])
        #expect(answer.builds.first?.cause == Cause(.webhook, host: "github", delivery: answer.delivery))
        #expect(answer.ignored.map(\.rule) == [2])
    }

    /// Somebody asked for it, which the worker sees by the cause.
    @Test func whatWasSkippedIsBuiltByForce() async throws {
        let body = """
            {"ref": "refs/heads/main", "after": "\(Self.commit)", "repository": {},
            "head_commit": {"id": "\(Self.commit)", "message": "Later [skip ci]"}}
            """
        let house = try await House()
        let skipped = try await house.redeliver(kept(.webhook, body))
        #expect(skipped.builds.isEmpty)
        #expect(skipped.ignored.first?.reason == "the commit's message says [skip ci]; a trigger builds it")
        let forced = try await house.redeliver(kept(.webhook, body), force: true)
        #expect(forced.builds.first?.cause == Cause(.retry, host: "github", delivery: forced.delivery))
    }

    @Test func rulesWithoutAutobuildSayFirstWhatTheyAreFor() async throws {
        var (here, elsewhere) = (try Self.rule(1, branch: "main"), try Self.rule(2, branch: "dev"))
        (here.autobuild, elsewhere.autobuild) = (false, false)
        let answer = try await House([here, elsewhere]).redeliver(kept(), force: true)
        #expect(
            answer.ignored.map(\.reason) == [
                "autobuild is off; a trigger builds it", "it builds branch \"dev\", not \"main\"",
            ])
    }

    @Test func whatWasMaskedIsNotMissed() async throws {
        let body = """
            {"secret": "•••", "ref": "refs/heads/main", "after": "\(Self.commit)", "repository": {}}
            """
        #expect(try await House().redeliver(kept(.webhook, body)).builds.count == 1)
    }

    @Test func aRepositoryThatCameLaterIsFound() async throws {
        let answer = try await House().redeliver(kept(repository: nil))
        #expect(answer.builds.map(\.repository.text) == ["acme/shop"])
        let none = try await House(name: "acme/shop").redeliver(
            kept(
                .webhook, "{\"ref\": \"refs/heads/main\", \"after\": \"\(Self.commit)\", \"repository\": {}}",
                repository: nil))
        #expect(none.builds.isEmpty)
    }

    /// A trigger starts again what its token could start, and no more.
    @Test func aTriggerIsReadAgain() async throws {
        let house = try await House()
        let all = try await house.redeliver(kept(.api, "{\"build\": true}"))
        #expect(all.builds.map(\.rule.number) == [1, 2])
        #expect(all.builds.first?.cause.kind == .api)
    }

    @Test func pingsAreTakenAgainToo() async throws {
        let answer = try await House().redeliver(kept(.webhook, "{}", headers: ["X-GitHub-Event": "ping"]))
        #expect(!answer.accepted)
        #expect(answer.ignored.first?.reason.contains("ping") == true)
    }

    @Test(arguments: [
        ("cut", "only the first"), ("masked trigger", "secret"), ("retry", "retry the build"), ("poll", "no request"),
        ("unknown host", "does not know"), ("confirmation", "SubscriptionConfirmation"),
        ("unreadable", "can't be read"),
        ("unreadable trigger", "can't be read"), ("repository gone", "no longer in the settings"),
    ])
    func whatCantBeTakenAgainSaysWhy(what: String, says: String) async throws {
        let delivery =
            switch what {
            case "cut": try kept(length: 2_000_000)
            case "masked trigger": try kept(.trigger, "{\"branch\": \"main\", \"build_args\": {\"secret\": \"•••\"}}")
            case "retry": try kept(.retry, "")
            case "poll": try kept(.poll, "")
            case "unknown host": try kept(host: "codeforge")
            case "confirmation": try kept(headers: ["x-amz-sns-message-type": "SubscriptionConfirmation"])
            case "unreadable": try kept(.webhook, "{")
            case "unreadable trigger": try kept(.trigger, "{")
            default: try kept(repository: "acme/gone")
            }
        let house = try await House()
        let error = await #expect(throws: NotRepeatable.self) { try await house.redeliver(delivery) }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "none")")
        #expect(try await house.store.builds(BuildQuery()).isEmpty)
    }

    // MARK: Builds

    private func build(_ rule: Rule, _ state: Build.State = .failed, branch: String = "main") throws -> Build {
        Build(
            id: 7, repository: try RepositoryName("acme/shop"), state: state, ref: try RefName(.branch, branch),
            commit: try CommitID(Self.commit), message: "Say hello", author: "Ada", rule: rule, captures: [branch],
            image: try ImageName("localhost:5000/acme/shop"), cause: Cause(.webhook, host: "github"), createdAt: Date())
    }

    @Test func theSamePushByTheRuleOfNow() async throws {
        var changed = try Self.rule(1, branch: "/^ma/")
        changed.dockerfile = "new/Dockerfile"
        let answer = try await House([changed]).retry(build(try Self.rule(1, branch: "main")))
        let build = try #require(answer.builds.first)
        #expect(build.commit?.text == Self.commit)
        #expect(build.message == "Say hello")
        #expect(build.author == "Ada")
        #expect(build.rule == changed)
        #expect(build.captures == ["ma"])
        #expect(build.cause == Cause(.retry, delivery: answer.delivery))
        #expect(build.commitTag?.text == "sha-\(Self.commit.prefix(12))")
    }

    @Test func aBuildWhoseCommitIsNotKnownYet() async throws {
        var former = try build(Self.rule(1, branch: "main"), .cancelled)
        former.commit = nil
        #expect(try await House().retry(former).builds.map(\.commit) == [nil])
    }

    @Test func rulesWithoutAutobuildToo() async throws {
        var rule = try Self.rule(1, branch: "main")
        rule.autobuild = false
        #expect(try await House([rule]).retry(build(rule)).builds.count == 1)
    }

    @Test func theDefaultBranchIsAskedFor() async throws {
        var rule = try Self.rule(1, branch: "main")
        rule.source = .defaultBranch
        #expect(try await House([rule]).retry(build(rule)).builds.count == 1)
        let house = try await House([rule])
        let former = try build(rule, branch: "old")
        await #expect(throws: NotRepeatable.self) { try await house.retry(former) }
    }

    /// A trigger's build arguments stay where the rule still lets one set them; all else is as the settings say now.
    @Test func buildArgumentsOfATrigger() async throws {
        var former = try Self.rule(1, branch: "main")
        former.triggerBuildArgs = ["CHANNEL", "FORMER"]
        former.buildArgs = ["CHANNEL": "beta", "FORMER": "1", "BASE": "old"]
        var now = former
        now.triggerBuildArgs = ["CHANNEL", "NEW"]
        now.buildArgs = ["CHANNEL": "stable", "BASE": "new"]
        let build = try await House([now]).retry(build(former)).builds.first
        #expect(build?.rule.buildArgs == ["CHANNEL": "beta", "BASE": "new"])
    }

    @Test(arguments: [Build.State.pending, .building, .pushing])
    func oneThatHasNotEnded(state: Build.State) async throws {
        let house = try await House()
        let former = try build(Self.rule(1, branch: "main"), state)
        let error = await #expect(throws: NotRepeatable.self) { try await house.retry(former) }
        #expect(error?.description == "build 7 is still \(state); cancel it or wait for its end")
    }

    @Test func rulesThatAreGoneOrForAnotherBranch() async throws {
        let house = try await House()
        let gone = try build(Self.rule(3, branch: "main"))
        #expect(
            await #expect(throws: NotRepeatable.self) { try await house.retry(gone) }?.description.contains(
                "has no rule 3 any more") == true)
        let other = try build(Self.rule(2, branch: "main"))
        #expect(
            await #expect(throws: NotRepeatable.self) { try await house.retry(other) }?.description.contains(
                "it builds branch \"dev\", not \"main\"") == true)
        let elsewhere = try await House(name: "acme/other")
        await #expect(throws: NotRepeatable.self) { try await elsewhere.retry(other) }
    }
}
