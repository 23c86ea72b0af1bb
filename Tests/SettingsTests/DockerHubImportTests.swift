import Foundation
import Model
import Settings
import Testing

@Suite struct DockerHubImportTests {
    func draft(_ documents: String...) throws -> DockerHubDraft {
        try DockerHub.draft(of: documents.enumerated().map { ("\($0 + 1).json", Array($1.utf8)) })
    }

    /// Why the documents can't be read; nil if they can.
    func refusal(_ documents: String...) -> String? {
        do throws(InvalidText) {
            _ = try DockerHub.draft(of: documents.enumerated().map { ("\($0 + 1).json", Array($1.utf8)) })
            return nil
        } catch {
            return error.description
        }
    }

    /// What the settings' reader makes of a draft, with every variable that the draft asks for.
    func settings(_ draft: DockerHubDraft) throws -> Settings {
        let environment = Dictionary(uniqueKeysWithValues: draft.variables.map { ($0, "secret of \($0)") })
        return try read(draft.yaml, environment: environment)
    }

    /// The comments that ask for a decision, each in one line.
    func decisions(_ draft: DockerHubDraft) -> [String] {
        var found: [String] = []
        var isOpen = false
        for line in draft.yaml.split(separator: "\n") {
            let text = line.drop { $0 == " " }
            if text.hasPrefix("# DECIDE: ") {
                found.append(String(text.dropFirst("# DECIDE: ".count)))
                isOpen = true
            } else if isOpen, text.hasPrefix("#   ") {
                found[found.count - 1] += " " + text.dropFirst(4)
            } else {
                isOpen = false
            }
        }
        return found
    }

    func json(_ value: Any) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: value), as: UTF8.self)
    }

    func source(_ rules: [[String: Any]], _ fields: [String: Any] = [:]) throws -> String {
        var source: [String: Any] = [
            "image": "acme/shop", "owner": "acme", "provider": "Github", "repository": "shop", "build_settings": rules,
        ]
        source.merge(fields) { $1 }
        return try json(source)
    }

    func classic(_ tags: [[String: Any]], _ fields: [String: Any] = [:]) throws -> String {
        var object: [String: Any] = [
            "docker_url": "acme/shop", "provider": "github", "source_url": "git://github.com/acme/shop.git",
            "active": true, "build_tags": tags,
        ]
        object.merge(fields) { $1 }
        return try json(object)
    }

    /// The decisions of a draft of one repository: whom to log in as, how the service is reached, and whether scripts trigger
    /// builds.
    static let usual = 3

    /// Whether two files say the same of repositories and registries.
    func same(_ settings: Settings, _ other: Settings) throws {
        #expect(settings.registries.mapValues(\.login) == other.registries.mapValues(\.login))
        #expect(settings.repositories.map(\.name) == other.repositories.map(\.name))
        for (one, two) in zip(settings.repositories, other.repositories) {
            #expect(one.source == two.source)
            #expect(one.credentials == two.credentials)
            #expect(one.image == two.image)
            #expect(one.webhookSecrets == two.webhookSecrets)
            #expect(one.triggerTokens == two.triggerTokens)
            #expect(one.rules == two.rules)
        }
    }

    @Test func aSourceBecomesItsSettings() throws {
        let draft = try draft(
            #"""
            {"meta": {"next": null, "total_count": 2}, "objects": [
              {"autotests": "OFF", "build_in_farm": true, "channel": "Stable", "deploykey": "", "envvars": [],
               "image": "acme/shop", "owner": "Acme-Inc", "provider": "Github", "repository": "shop",
               "repo_links": false, "resource_uri": "/api/build/v1/source/1/", "state": "Success", "uuid": "1",
               "build_settings": [
                {"source_type": "Branch", "source_name": "main", "tag": "latest", "dockerfile": "Dockerfile",
                 "build_context": "/", "autobuild": true, "nocache": false},
                {"source_type": "Tag", "source_name": "/^v([0-9]+)\\.([0-9]+)$/", "tag": "{\\1}.{\\2}, {\\1},stable",
                 "dockerfile": "docker/Dockerfile", "build_context": "", "autobuild": false, "nocache": true},
                {"source_type": "Branch", "source_name": "dev", "tag": "dev-{sourceref}", "dockerfile": "/",
                 "build_context": "/app"}]},
              {"image": "other/shop", "owner": "team", "provider": "bitbucket", "repository": "7-zip",
               "build_settings": [{"source_type": "Branch", "source_name": "main"}]}]}
            """#)
        let expected = try read(
            #"""
            registries:
              docker.io: {username: acme, password: {env: H}}
            repositories:
              acme/shop:
                source: https://github.com/Acme-Inc/shop.git
                image: docker.io/acme/shop
                webhook_secret: {env: A}
                rules:
                  - {branch: main, tags: latest, dockerfile: Dockerfile, context: /}
                  - {tag: '/^v([0-9]+)\.([0-9]+)$/', tags: '{\1}.{\2},{\1},stable', dockerfile: docker/Dockerfile,
                     autobuild: false, cache: false}
                  - {branch: dev, tags: 'dev-{sourceref}', context: /app}
              other/shop:
                source: https://bitbucket.org/team/7-zip.git
                image: docker.io/other/shop
                webhook_secret: {env: B}
                rules: [{branch: main}]
            """#,
            environment: [
                "H": "secret of DOCKER_HUB_TOKEN", "A": "secret of SHOP_WEBHOOK_SECRET",
                "B": "secret of OTHER_SHOP_WEBHOOK_SECRET",
            ])
        try same(try settings(draft), expected)
        #expect(draft.variables == ["DOCKER_HUB_TOKEN", "SHOP_WEBHOOK_SECRET", "OTHER_SHOP_WEBHOOK_SECRET"])
        #expect(draft.repositories.map(\.text) == ["acme/shop", "other/shop"])
        #expect(draft.rules == 4)
        #expect(draft.decisions == Self.usual + 1)
        #expect(decisions(draft).count == Self.usual + 1)
    }

    @Test func aClassicAutobuildBecomesItsSettings() throws {
        let draft = try draft(
            #"""
            {"build_name": "acme/tools", "provider": "github", "source_url": "git://github.com/acme/tools.git",
             "docker_url": "acme/shop", "repo_web_url": "https://github.com/acme/tools", "repo_type": "git",
             "active": true, "repo_id": 7, "deploykey": null, "hook_id": 12, "webhook_id": null, "build_tags": [
              {"id": 1, "name": "latest", "source_type": "Branch", "source_name": "master",
               "dockerfile_location": "/"},
              {"id": 2, "name": "{sourceref}", "source_type": "Tag", "source_name": "/^[0-9.]+$/",
               "dockerfile_location": "/tools/"}]}
            """#)
        let expected = try read(
            #"""
            registries:
              docker.io: {username: acme, password: {env: H}}
            repositories:
              acme/shop:
                source: https://github.com/acme/tools.git
                image: docker.io/acme/shop
                webhook_secret: {env: A}
                rules:
                  - {branch: master, tags: latest}
                  - {tag: '/^[0-9.]+$/', tags: '{sourceref}', dockerfile: tools/Dockerfile}
            """#,
            environment: ["H": "secret of DOCKER_HUB_TOKEN", "A": "secret of SHOP_WEBHOOK_SECRET"])
        try same(try settings(draft), expected)
        #expect(draft.decisions == Self.usual)
    }

    /// `build_settings` may hold only the rules' addresses; Docker Hub gives the rules in a list of their own.
    @Test func rulesFromASecondFile() throws {
        let source = #"""
            {"image": "acme/shop", "provider": "Github", "owner": "acme", "repository": "shop",
             "resource_uri": "/api/build/v1/source/1/",
             "build_settings": ["/api/build/v1/setting/b/", "/api/build/v1/setting/a/"]}
            """#
        let rules = #"""
            {"objects": [
              {"resource_uri": "/api/build/v1/setting/a/", "source_type": "Branch", "source_name": "a"},
              {"resource_uri": "/api/build/v1/setting/b/", "source_type": "Tag", "source_name": "b"}]}
            """#
        let joined = try settings(draft(source, rules)).repositories[0].rules.map(\.source)
        #expect(joined == [.tag(try Pattern("b")), .branch(try Pattern("a"))])
        #expect(try settings(draft("[\(rules), \(source)]")).repositories[0].rules.map(\.source) == joined)

        let alone = try #require(refusal(source))
        #expect(alone.contains("acme/shop: 2 of its build rules are only addresses"))
        #expect(alone.contains("/api/build/v1/setting/?buildsource=/api/build/v1/source/1/"))
        #expect(refusal(rules)?.contains("the source that they belong to") == true)
    }

    @Test(arguments: [
        ("", "is not JSON"), ("<html>", "is not JSON"), ("{\"a\": ", "is not JSON"), ("[]", "the list is empty"),
        ("{\"objects\": []}", "the list is empty"), ("7", "there is no object with fields"),
        ("{\"name\": \"shop\", \"stars\": 1}", "an object has only \"name\", \"stars\"; looked for were"),
        ("{\"detail\": \"Authentication credentials were not provided.\"}", "an error that Docker Hub answered"),
        ("{\"build_settings\": []}", "has no \"image\""), ("{\"build_tags\": []}", "has neither \"docker_url\""),
        ("{\"image\": \"Acme/Shop Two\", \"build_settings\": []}", "image"),
    ])
    func unknownShapes(_ text: String, _ words: String) throws {
        let told = try #require(refusal(text))
        #expect(told.contains(words), "\(told)")
    }

    @Test func aRepositoryIsImportedOnce() throws {
        let told = try #require(refusal(try source([]), try classic([])))
        #expect(told == "the automated builds of acme/shop are there twice; give them once")
    }

    @Test func deepJSONIsRefusedAndNotFollowed() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(refusal(deep)?.contains("is not JSON") == true)
        #expect(refusal("{\"objects\": " + deep)?.contains("is not JSON") == true)
    }

    @Test func filesAreReadAsOne() throws {
        try inFolder { folder in
            let path = folder + "/source.json"
            try source([["source_name": "main"]]).write(toFile: path, atomically: true, encoding: .utf16)
            #expect(try DockerHub.draft(files: [path]).rules == 1)
            #expect(throws: InvalidText("\(folder)/none can't be read: there is no such file")) {
                try DockerHub.draft(files: [path, folder + "/none"])
            }
        }
    }
}
