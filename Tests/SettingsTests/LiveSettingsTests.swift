import Model
import Settings
import Testing

@Suite struct LiveSettingsTests {
    private static let two = """
        webhook_secret: one-0123456789abcdef
        workers: 1
        repositories:
          a/b:
            source: /srv/b.git
            image: r.test/b
            trigger_tokens: [token-0123456789abcdef]
          a/c: {source: /srv/c.git, image: r.test/c}
        """

    private func live(_ more: String = "") throws -> LiveSettings { LiveSettings(try read(Self.two + "\n" + more)) }

    @Test func whatChangedIsToldInFewWords() throws {
        let live = try live()
        #expect("\(live.change(to: try read(Self.two)))" == "nothing changed")
        let other = Self.two.replacing("a/c:", with: "a/d:").replacing("workers: 1", with: "workers: 2")
            .replacing("r.test/b", with: "r.test/x").replacing("one-", with: "two-")
        let change = live.change(to: try read(other))
        #expect(
            "\(change)"
                == "repositories added: a/d; removed: a/c; changed: a/b; keys changed: workers, webhook_secret")
        #expect(change.needRestart == [])
        #expect(live.now.workers == 2)
        #expect(live.now.repositories.map(\.name.text) == ["a/b", "a/d"])
    }

    @Test(arguments: [
        // What a line says, and which key is told to have changed.
        ("url: http://b.test", "url"), ("limits: {delay: 2s}", "limits"), ("retries: 1", "retries"),
        ("sweep: {repair: no}", "sweep"), ("keep: {logs: off}", "keep"), ("disk: {cache: off}", "disk"),
        ("trusted_proxies: 10.0.0.1", "trusted_proxies"), ("registries: {r.test: {insecure: yes}}", "registries"),
        ("access: [{name: a, token: 0123456789abcdef, role: read}]", "access"),
        ("sns_topic: 'arn:aws:sns:eu-west-1:123456789012:a'", "sns_topic"),
    ])
    func everyKeyThatCanChange(_ line: String, _ key: String) throws {
        let live = try live()
        let change = live.change(to: try read(Self.two + "\n" + line))
        #expect(change.keys == [key] && change.needRestart == [] && change.changed == [])
        #expect("\(live.change(to: try read(Self.two + "\n" + line)))" == "nothing changed")
    }

    @Test func aChangedPollIsItsRepositories() throws {
        #expect(try live().change(to: try read(Self.two + "\npoll: off")).changed == ["a/b", "a/c"])
    }

    @Test func whatNeedsARestartStays() throws {
        let live = try live()
        let change = live.change(
            to: try read(Self.two + "\nlisten: 127.0.0.1:9\ndata: /other\nengine: podman\nretries: 9"))
        #expect(change.needRestart == ["listen", "data", "engine"])
        #expect("\(change)" == "keys changed: retries")
        #expect(live.now.listen.port == 8080 && live.now.data == "/var/lib/slipway" && live.now.engine == .auto)
        #expect(live.now.retries == 9)
    }

    /// The file is right for the address that it names, but the service still listens on the old one.
    @Test func anAPIThatOthersReachIsNotOpened() throws {
        let open = "listen: 0.0.0.0:80\naccess: [{name: a, token: 0123456789abcdef, role: read}]"
        let live = try live(open)
        let change = live.change(to: try read(Self.two + "\nlisten: 127.0.0.1:80"))
        #expect(change.needRestart == ["listen", "access"])
        #expect(live.now.listen.host == "0.0.0.0" && live.now.access.map(\.name) == ["a"])
        // Other tokens are taken.
        _ = live.change(to: try read(Self.two + "\n" + open.replacing("name: a", with: "name: b")))
        #expect(live.now.access.map(\.name) == ["b"])
    }

    @Test func secretsOfBeforeAreStillMasked() throws {
        let live = try live()
        #expect(live.secrets == [Secret("one-0123456789abcdef")])
        _ = live.change(to: try read(Self.two.replacing("one-", with: "two-")))
        #expect(live.secrets.map(\.value) == ["one-0123456789abcdef", "two-0123456789abcdef"])
        // Once each, however often they come back.
        _ = live.change(to: try read(Self.two))
        #expect(live.secrets.count == 2)
        #expect(live.now.secrets == [Secret("one-0123456789abcdef")])
    }

    @Test func triggerTokensAreThoseOfNow() throws {
        let live = try live()
        #expect(live.holder(ofToken: "token-0123456789abcdef")?.repository.name.text == "a/b")
        _ = live.change(to: try read(Self.two.replacing("[token-", with: "[other-")))
        #expect(live.holder(ofToken: "token-0123456789abcdef") == nil)
        #expect(live.holder(ofToken: "other-0123456789abcdef")?.token.name == "token 1")
    }

    @Test(.timeLimit(.minutes(6))) func listenersAreToldAndLetGo() async throws {
        var live: LiveSettings? = try live()
        let changes = try #require(live).changes
        for _ in 1...3 { _ = live?.change(to: try read(Self.two)) }
        live = nil
        var count = 0
        for await _ in changes { count += 1 }
        // Those that were not taken count as one, and then it ends.
        #expect(count == 1)
    }
}
