import Foundation
import Model
import Settings
import Testing

/// Refs, paths and addresses mean what they meant.
extension DockerHubImportTests {
    /// Docker Hub's documented and shown examples, in both shapes.
    @Test(arguments: [
        // Exact names, with nothing special in them.
        ("Branch", "master", "latest", "branch master", ["latest"]), ("Branch", "master", "latest", "branch main", nil),
        ("Branch", "master", "latest", "tag master", nil), ("Branch", "master", "latest", "branch master2", nil),
        ("branch", "release-1.x", "{sourceref}", "branch release-1.x", ["release-1.x"]),
        ("Tag", "1.0", "{sourceref}", "tag 1x0", nil),
        // An expression is searched for; ^ and $ anchor it.
        ("Branch", "/[0-9.]+$/", "{sourceref}", "branch v2-1.4", ["v2-1.4"]),
        ("Branch", "/[0-9.]+$/", "{sourceref}", "branch 1.4-rc", nil),
        ("Tag", "/^[0-9.]+$/", "release-{sourceref}", "tag 1.2.0", ["release-1.2.0"]),
        ("Tag", "/^[0-9.]+$/", "release-{sourceref}", "tag 1.2.0-rc", nil),
        // {sourceref} is all of the name, not what matched.
        ("Tag", "/^[0-9.]+/", "release-{sourceref}", "tag 1.2.0-rc", ["release-1.2.0-rc"]),
        // Groups, up to the ninth, and several tags from one build.
        ("Tag", "/^v([0-9.]+)$/", "{\\1}", "tag v1.4.2", ["1.4.2"]),
        ("Tag", "/^v([0-9.]+)$/", "{\\1}", "tag 1.4.2", nil),
        ("Tag", "/^v([0-9]+)\\.([0-9]+)$/", "{\\1},{\\1}.{\\2},latest", "tag v1.4", ["1", "1.4", "latest"]),
        ("Tag", "/(.)(.)(.)(.)(.)(.)(.)(.)(.)/", "{\\9}{\\1}", "tag abcdefghi", ["ia"]),
        ("Tag", "/.*/", "{sourceref},latest", "tag x", ["x", "latest"]),
        // Printed without slashes, and meant as an expression.
        ("Tag", "^v([0-9.]+)$", "{\\1}", "tag v1.4.2", ["1.4.2"]),
        ("Branch", "^feature/", "{sourceref}", "branch feature/x", ["feature-x"]),
        // A slash within is escaped or not.
        ("Branch", "/^release\\/(.+)$/", "{\\1}", "branch release/2", ["2"]),
        ("Branch", "/^release/(.+)$/", "{\\1}", "branch release/2", ["2"]),
        // Lookahead, which users asked for in vain.
        ("Branch", "/^(?!dev).*$/", "x", "branch dev1", nil), ("Branch", "/^(?!dev).*$/", "x", "branch main", ["x"]),
        // Defaults.
        ("Branch", "", "", "branch master", ["latest"]),
    ])
    func theSameRefsBecomeTheSameTags(
        _ type: String, _ name: String, _ tag: String, _ ref: String, _ tags: [String]?
    ) throws {
        let newer = try source([["source_type": type, "source_name": name, "tag": tag]])
        let older = try classic([["source_type": type, "source_name": name, "name": tag, "dockerfile_location": "/"]])
        for document in [newer, older] {
            let rule = try settings(draft(document)).repositories[0].rules[0]
            let words = ref.split(separator: " ").map(String.init)
            let ref = try RefName(words[0] == "tag" ? .tag : .branch, words[1])
            var made: [String]?
            if case .matched(let captures) = rule.match(ref, defaultBranch: nil) {
                let commit = try CommitID(String(repeating: "a", count: 40))
                made = try rule.names(for: ref, captures: captures, commit: commit, acceptedAt: Date()).tags
                    .map(\.text)
            }
            #expect(made == tags)
        }
    }

    @Test(arguments: [
        // Dockerfile and context as they were, relative to each other.
        ("Dockerfile", "/", "Dockerfile", "/"), ("docker/Dockerfile", "/app", "docker/Dockerfile", "/app"),
        // A blank context is the Dockerfile's folder, an empty Dockerfile is `Dockerfile`.
        ("/docker/Dockerfile", " ", "/docker/Dockerfile", nil), ("", "", nil, nil), ("/", "/app/", nil, "/app/"),
        // A folder.
        ("docker/", "/", "docker/Dockerfile", "/"),
        // What YAML would take for something else.
        ("a b: #c", "*x", "a b: #c", "*x"), ("null", "~", "null", "~"), ("1.10", "!t", "1.10", "!t"),
    ])
    func paths(_ dockerfile: String, _ context: String, _ readDockerfile: String?, _ readContext: String?) throws {
        let document = try source([["source_name": "main", "dockerfile": dockerfile, "build_context": context]])
        let rule = try settings(draft(document)).repositories[0].rules[0]
        #expect(rule.dockerfile == readDockerfile)
        #expect(rule.context == readContext)
    }

    @Test(arguments: [
        ("/", nil, 0), ("", nil, 0), ("/sub/", "sub/Dockerfile", 0), ("/a/b/", "a/b/Dockerfile", 0),
        // A file, and what could be either.
        ("/sub/Dockerfile.arm", "sub/Dockerfile.arm", 0), ("Dockerfile", "Dockerfile", 0),
        ("/sub", "sub/Dockerfile", 1),
    ])
    func classicLocations(_ location: String, _ dockerfile: String?, _ guesses: Int) throws {
        let draft = try draft(classic([["source_name": "main", "dockerfile_location": location]]))
        let rule = try settings(draft).repositories[0].rules[0]
        #expect(rule.dockerfile == dockerfile)
        #expect(rule.context == nil)
        #expect(draft.decisions == Self.usual + guesses)
    }

    @Test func aClassicAutobuildThatIsOffBuildsOnlyWhenTriggered() throws {
        let off = try settings(draft(classic([["source_name": "main"]], ["active": false])))
        #expect(off.repositories[0].rules.map(\.autobuild) == [false])
    }

    @Test(arguments: [
        ("Github", "acme", "shop", "https://github.com/acme/shop.git"),
        ("github", "ignored", "acme/shop", "https://github.com/acme/shop.git"),
        ("Bitbucket", "acme", "shop.git", "https://bitbucket.org/acme/shop.git"),
        // Addresses, whose users and passwords stay behind.
        ("Github", "x", "https://u:p@github.com/acme/shop", "https://github.com/acme/shop.git"),
        ("", "x", "git@git.example.com:acme/shop.git", "https://git.example.com/acme/shop.git"),
        ("", "x", "ssh://git@GIT.example.com/acme/shop/", "https://git.example.com/acme/shop.git"),
        // Nothing that could be cloned.
        ("Sourceforge", "acme", "shop", nil), ("Github", "", "shop", nil), ("Github", "..", "shop", nil),
        ("Github", "acme", "shop\n    image: evil", nil), ("Github", "a cme", "shop", nil),
        ("Github", "acme", "shop'", nil), ("Github", "acme", "", nil),
    ])
    func addresses(_ provider: String, _ owner: String, _ repository: String, _ source: String?) throws {
        let draft = try draft(
            self.source(
                [["source_name": "main"]], ["provider": provider, "owner": owner, "repository": repository]))
        if let source {
            #expect(try settings(draft).repositories[0].source.text == source)
        } else {
            // The settings' reader asks for it, and the comment says why.
            #expect(throws: SettingsErrors.self) { try settings(draft) }
            #expect(decisions(draft).contains { $0.hasPrefix("Where the source is was not in the file") })
        }
        #expect(!draft.yaml.contains("u:p"))
    }

    @Test func aDeployKeyAsksForANewOne() throws {
        let draft = try draft(source([["source_name": "main"]], ["deploykey": "ssh-rsa AAAAsecret"]))
        #expect(draft.decisions == Self.usual + 1)
        #expect(draft.yaml.contains("\n    # source: git@github.com:acme/shop.git\n"))
        #expect(draft.yaml.contains("\n    # credentials: {ssh_key: {file: /etc/slipway/shop_key}}\n"))
        #expect(!draft.yaml.contains("AAAAsecret"))

        // Taken at its word, the comment is what the reader wants.
        let lines = draft.yaml.split(separator: "\n").filter { !$0.contains("source: https") }
        let decided = lines.map {
            $0.replacing("# source:", with: "source:")
                .replacing(
                    "# credentials: {ssh_key: {file: /etc/slipway/shop_key}}",
                    with: "credentials: {ssh_key: {env: KEY}}")
        }
        let environment = ["DOCKER_HUB_TOKEN": "t", "SHOP_WEBHOOK_SECRET": "s", "KEY": privateKey]
        let repository = try read(decided.joined(separator: "\n"), environment: environment).repositories[0]
        #expect(repository.source.text == "git@github.com:acme/shop.git")
    }
}
