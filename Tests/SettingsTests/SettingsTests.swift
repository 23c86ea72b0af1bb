import Foundation
import Model
import Settings
import Testing

@Suite struct SettingsTests {
    /// The settings that the design shows.
    static let sample = #"""
        listen: 127.0.0.1:8080            # 0 as port picks a free one and prints it
        url: https://builds.example.com   # how others reach us; default http://<listen>
        data: /var/lib/slipway            # database, mirrors, workspaces
        database: sqlite
        engine: auto                      # auto | docker | buildah | podman
        workers: 2                        # builds at once on this machine; 0 = only receive

        access:                           # bearer tokens for the API and the CLI
          - name: ops
            token: {env: OPS_TOKEN}
            role: admin                   # read | build | admin
            repositories: ["acme/*"]

        registries:
          registry.example.com: {username: robot, password: {env: REGISTRY_PASSWORD}}
          localhost:5000: {insecure: true}   # plain HTTP

        repositories:
          acme/shop:
            source: https://git.example.com/acme/shop.git     # https, ssh, git, or a local path
            credentials: {username: ci, password: {env: GIT_TOKEN}}
            image: registry.example.com/acme/shop
            webhook_secret: {env: SHOP_WEBHOOK_SECRET}
            trigger_tokens: [{env: SHOP_TRIGGER}]
            rules:
              - branch: main
                tags: [latest]
              - tag: '/^v([0-9]+)\.([0-9]+)\.([0-9]+)$/'
                tags: ['{\1}.{\2}.{\3}', '{\1}.{\2}']
                dockerfile: docker/Dockerfile
                context: /
                build_args: {CHANNEL: stable}
                target: release
                cache: true
                autobuild: true
                timeout: 1h
        """#

    @Test func theWholeFileBecomesSettings() throws {
        let environment = [
            "OPS_TOKEN": "ops-0123456789abcdef", "REGISTRY_PASSWORD": "r", "GIT_TOKEN": "g",
            "SHOP_WEBHOOK_SECRET": "w-0123456789abcdef", "SHOP_TRIGGER": "t-0123456789abcdef",
        ]
        let (settings, warnings) = try SettingsFile.parse(text: Self.sample, file: "s", environment: environment)
        #expect(warnings == [])
        #expect(settings.listen == ListenAddress(host: "127.0.0.1", port: 8080))
        #expect(settings.url == "https://builds.example.com")
        #expect(settings.data == "/var/lib/slipway")
        #expect(settings.engine == .auto)
        #expect(settings.workers == 2)
        let access = try #require(settings.access.first)
        #expect(access.name == "ops" && access.role == .admin && access.repositories == ["acme/*"])
        #expect(access.token == Secret("ops-0123456789abcdef"))
        #expect(settings.registries["registry.example.com"]?.login == Login(username: "robot", password: Secret("r")))
        #expect(settings.registries["localhost:5000"]?.insecure == true)
        let shop = try #require(settings[try RepositoryName("acme/shop")])
        #expect(shop.source.text == "https://git.example.com/acme/shop.git")
        #expect(shop.credentials == .login(Login(username: "ci", password: Secret("g"))))
        #expect(shop.image.text == "registry.example.com/acme/shop")
        #expect(
            shop.webhookSecrets == [Secret("w-0123456789abcdef")]
                && shop.triggerTokens == [TriggerToken(name: "token 1", token: Secret("t-0123456789abcdef"))])
        #expect(
            try shop.rules == [
                Rule(
                    number: 1, source: .branch(Pattern("main")), tags: [Template("latest")],
                    commitTag: Template("sha-{sha12}")),
                Rule(
                    number: 2, source: .tag(Pattern(#"/^v([0-9]+)\.([0-9]+)\.([0-9]+)$/"#)),
                    tags: [Template(#"{\1}.{\2}.{\3}"#), Template(#"{\1}.{\2}"#)], commitTag: Template("sha-{sha12}-2"),
                    dockerfile: "docker/Dockerfile", context: "/", buildArgs: ["CHANNEL": "stable"], target: "release",
                    cache: true, autobuild: true, timeout: 3600),
            ])
    }

    @Test func anEmptyFileIsAllDefaults() throws {
        for text in ["", "# nothing\n", "{}", "repositories:\nregistries:"] {
            let (settings, warnings) = try SettingsFile.parse(text: text, file: "s", environment: [:])
            #expect(settings.listen.description == "127.0.0.1:8080" && settings.url == nil)
            #expect(settings.data == "/var/lib/slipway" && settings.engine == .auto && settings.workers == 2)
            #expect(settings.access.isEmpty && settings.registries.isEmpty && settings.repositories.isEmpty)
            #expect(warnings.map(\.description) == ["s:1:1: there are no repositories, so nothing can be built"])
        }
    }

    @Test func aRepositoryWithoutRulesBuildsItsDefaultBranch() throws {
        let found = try read(repository("")).repositories[0]
        #expect(
            try found.rules == [
                Rule(number: 1, source: .defaultBranch, tags: [Template("latest")], commitTag: Template("sha-{sha12}"))
            ])
        #expect(found.credentials == nil && found.webhookSecrets.isEmpty && found.triggerTokens.isEmpty)
    }

    @Test(arguments: [
        // The same text for the same address.
        ("localhost:0", "localhost:0"), ("'[::1]:8080'", "[::1]:8080"), ("'[0:0::1]:8080'", "[::1]:8080"),
        ("127.1.2.3:80", "127.1.2.3:80"),
    ])
    func listens(_ written: String, _ shown: String) throws {
        let listen = try read("listen: \(written)").listen
        #expect(listen.description == shown && listen.isLoopback)
    }

    @Test func pathsBeginAtTheSettingsFile() throws {
        #expect(try read("data: state").data == "/etc/slipway/state")
        #expect(try read("data: /srv/state").data == "/srv/state")
        #expect(try read("url: https://b.test/slipway//").url == "https://b.test/slipway")
    }

    @Test(arguments: [
        // YAML 1.1's words.
        ("true", true), ("yes", true), ("On", true), ("false", false), ("NO", false), ("off", false),
    ])
    func truth(_ word: String, _ value: Bool) throws {
        let rule = try read(rule("{branch: main, cache: \(word), autobuild: \(word)}")).repositories[0].rules[0]
        #expect(rule.cache == value && rule.autobuild == value)
    }

    @Test(arguments: [
        ("90s", 90), ("30m", 1800), ("1h", 3600), ("1h30m", 5400), ("1h1m1s", 3661), ("24h", 86400), ("1d", 86400),
    ])
    func durations(_ text: String, _ seconds: Int) throws {
        #expect(try read(rule("{branch: main, timeout: \(text)}")).repositories[0].rules[0].timeout == seconds)
    }

    @Test(arguments: ["[a, b]", "'a, b'", "'a,b'", "[ 'a,b' ]"])
    func severalTags(_ written: String) throws {
        let rule = try read(rule("{branch: main, tags: \(written)}")).repositories[0].rules[0]
        #expect(rule.tags.map(\.text) == ["a", "b"])
    }

    @Test func whatARuleLooksAtAndATriggerMaySet() throws {
        let text = rule("{branch: main, paths: 'src/**', paths_ignore: ['*.md', docs/], trigger_build_args: [A, _b]}")
        let found = try read(text).repositories[0].rules[0]
        #expect(try found.paths == [Glob("src/**")])
        #expect(try found.pathsIgnored == [Glob("*.md"), Glob("docs/")])
        #expect(found.triggerBuildArgs == ["A", "_b"])
        // None of it is about what is in an image, so it makes no commit tag of its own.
        let two = try read(repository("rules:\n  - branch: dev\n  - {branch: main, paths: [a], trigger_build_args: A}"))
        #expect(two.repositories[0].rules.map(\.commitTag.text) == ["sha-{sha12}", "sha-{sha12}"])
    }

    @Test func numbersStayAsTheyAreWritten() throws {
        let rule = try read(rule("{tag: 1.10, tags: 1.10, build_args: {A: 1.10, B: yes, C: '', D: 0x1f}}"))
            .repositories[0].rules[0]
        #expect(try rule.source == .tag(Pattern("1.10")))
        #expect(rule.tags.map(\.text) == ["1.10"])
        #expect(rule.buildArgs == ["A": "1.10", "B": "yes", "C": "", "D": "0x1f"])
    }

    @Test func aBlankContextIsNone() throws {
        for blank in ["", "''", "' '", "~"] {
            let rule = try read(rule("{branch: main, context: \(blank)}")).repositories[0].rules[0]
            #expect(rule.context == nil)
        }
    }

    @Test func rulesThatBuildDifferentlyGetCommitTagsOfTheirOwn() throws {
        let rules = """
            rules:
              - branch: main
              - {branch: dev, target: test}
              - {tag: v1, dockerfile: Dockerfile, context: /}
              - {tag: v2, dockerfile: ./x/../Dockerfile, target: test}
              - {tag: v3, build_args: {A: b}}
            """
        func commitTags(_ lines: String) throws -> [String] {
            try read(repository(lines)).repositories[0].rules.map(\.commitTag.text)
        }
        let tags = ["sha-{sha12}", "sha-{sha12}-2", "sha-{sha12}", "sha-{sha12}-2", "sha-{sha12}-5"]
        #expect(try commitTags(rules) == tags)
        #expect(
            try commitTags("commit_tag: 'c.{sha}'\n" + rules)
                == tags.map { $0.replacing("sha-{sha12}", with: "c.{sha}") })
    }

    @Test func otherNamesOfDockerHubAreOne() throws {
        let registries = try read(
            "registries: {index.docker.io: {username: a, password: {env: P}}}", environment: ["P": "p"]
        )
        .registries
        #expect(Array(registries.keys) == ["docker.io"])
    }

    @Test func anchorsAndAliasesMayBeUsed() throws {
        let text = repository(
            "rules:\n  - {branch: main, build_args: &args {A: b}}\n  - {branch: dev, build_args: *args}")
        #expect(try read(text).repositories[0].rules.map(\.buildArgs) == [["A": "b"], ["A": "b"]])
    }
}
