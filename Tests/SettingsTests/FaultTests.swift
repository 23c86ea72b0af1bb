import Foundation
import Settings
import Testing

/// Every fault is told at its place, in words that say what to do.
@Suite struct FaultTests {
    @Test(arguments: [
        // Not YAML, or not what settings are made of.
        Case("listen: [", "2:1: this is not YAML: while parsing a flow node, did not find expected node content"),
        Case(
            "# naïve\naccess:\n\turl: x",
            "3:1: this is not YAML: while scanning for the next token, found character that cannot start any token; indent with spaces, not tabs"
        ),
        Case("url: http://a\n--- \nurl: http://b", "2:1: a second document begins here; settings are one document"),
        Case("url: http://a\nurl: http://b", "2:1: \"url\" is here a second time; the first is in line 1"),
        Case("url: *there", "1:6: there is no anchor &there before this alias"),
        Case("url: !env URL", "1:6: the tag !env is not known; secrets are written {env: NAME} or {file: PATH}"),
        Case("? [a]\n: b", "1:3: a key must be text, not a list"),
        Case("data: \(String(repeating: "[", count: 40))", "1:38: this is nested deeper than 32 levels"),
        Case(
            "- a",
            "1:1: settings must be a mapping of \"listen\", \"url\", \"data\", \"database\", \"engine\", \"workers\", \"worker\", \"access\", \"trusted_proxies\", \"limits\", \"retries\", \"poll\", \"base_poll\", \"sweep\", \"keep\", \"disk\", \"webhook_secret\", \"sns_topic\", \"registries\", \"repositories\", not a list"
        ),

        // Keys.
        Case("wrokers: 2", "1:1: unknown key \"wrokers\" in settings; nearest is \"workers\""),
        Case("repos: {}", "1:1: unknown key \"repos\" in settings; nearest is \"repositories\""),
        Case(
            "colour: red",
            "1:1: unknown key \"colour\" in settings; valid are \"listen\", \"url\", \"data\", \"database\", \"engine\", \"workers\", \"worker\", \"access\", \"trusted_proxies\", \"limits\", \"retries\", \"poll\", \"base_poll\", \"sweep\", \"keep\", \"disk\", \"webhook_secret\", \"sns_topic\", \"registries\", \"repositories\""
        ),
        Case("url:", "1:1: \"url\" has no value; give it one or leave the key out"),

        // Top level values.
        Case(
            "listen: 8080",
            "1:9: listen \"8080\" is not an IP address or \"localhost\", a colon and a port; 127.0.0.1:8080 is"),
        Case(
            "listen: 127.0.0.1:65536",
            "1:9: listen \"127.0.0.1:65536\" is not an IP address or \"localhost\", a colon and a port; 127.0.0.1:8080 is"
        ),
        Case(
            "listen: 127.0.0.300:80",
            "1:9: listen \"127.0.0.300:80\" is not an IP address or \"localhost\", a colon and a port; 127.0.0.1:8080 is"
        ),
        Case(
            "listen: 0.0.0.0:80",
            "1:9: listen 0.0.0.0:80 can be reached from other machines, so \"access\" must list a token at least"),
        Case(
            "listen: '[::]:80'\naccess: []",
            "1:9: listen [::]:80 can be reached from other machines, so \"access\" must list a token at least"),
        Case(
            "url: https://me:secret@builds.test",
            "1:6: url must be http:// or https:// and a host, without user, query or fragment"),
        Case(
            "url: https://builds.test?x=1",
            "1:6: url must be http:// or https:// and a host, without user, query or fragment"),
        Case("url: {a: b}", "1:6: url must be text, not a mapping"),
        Case("data: ''", "1:7: data is empty"),
        Case(
            "database: mysql",
            "1:11: database \"mysql\" is not known; \"sqlite\" is, and postgresql://user@host/name"),
        Case("database: {password: x}", "1:11: database needs \"url\""),
        Case("database: {url: mysql://h/n}", "1:17: url must be like postgresql://user@host/name"),
        Case(
            "database: {url: 'postgresql://h/n', pooler: sesion}",
            "1:45: pooler \"sesion\" is not known; valid are \"none\", \"transaction\""),
        Case(
            "worker: {labels: [gpu, 'a b']}",
            "1:24: label \"a b\" must be of letters, digits, \".\", \"_\", \"-\" and \"/\", 63 of them at most"),
        Case("engine: dokcer", "1:9: engine \"dokcer\" is not known; nearest is \"docker\""),
        Case(
            "engine: kaniko",
            "1:9: engine \"kaniko\" is not known; valid are \"auto\", \"docker\", \"buildah\", \"podman\""),
        Case("workers: -1", "1:10: workers is \"-1\"; a whole number from 0 to 256 can be"),
        Case("workers: two", "1:10: workers is \"two\"; a whole number from 0 to 256 can be"),
    ])
    func topLevel(_ example: Case) {
        #expect(faults(example.text) == example.faults)
    }

    @Test(arguments: [
        // Access.
        Case("access:\n  - name: a", "2:5: an access entry needs \"token\"", "2:5: an access entry needs \"role\""),
        Case(
            "access:\n  - {name: a, token: 0123456789abcdef, role: root}",
            "2:46: role \"root\" is not known; valid are \"read\", \"build\", \"admin\""),
        Case(
            "access:\n- {name: a, token: 0123456789abcdef, role: read}\n- {name: a, token: 0123456789abcdef, role: read}",
            "3:10: another access entry is named \"a\" too", "3:20: another access entry has this token too"),
        Case(
            "access:\n- {name: a, token: 0123456789abcdef, role: read, repositories: [acme]}",
            "2:65: \"acme\" names no repositories: <namespace>/<name> does, with * for any characters"),
        Case("access: {name: a}", "1:9: access must be a list, not a mapping"),

        // Registries.
        Case(
            "registries: {r.test: {username: a}}", "1:14: registry \"r.test\" with a username needs \"password\""),
        Case(
            "registries: {r.test: {password: a}}", "1:14: registry \"r.test\" with a password needs \"username\""),
        Case(
            "registries:\n  https://r.test: {insecure: true}",
            "2:3: \"https://r.test\" is not a registry's host: registry.example.com, localhost:5000 and docker.io are"),
        Case(
            "registries:\n  docker.io: {}\n  index.docker.io: {}",
            "3:3: \"index.docker.io\" is docker.io, which is here already"),
        Case("registries: {r.test: {insecure: maybe}}", "1:33: insecure is \"maybe\"; write true or false"),
        Case(
            "registries: {r.test: {insecur: yes}}",
            "1:23: unknown key \"insecur\" in registry \"r.test\"; nearest is \"insecure\""),
        Case("registries: [r.test]", "1:13: registries must be a mapping of hosts, not a list"),

        // Repositories.
        Case(
            "repositories: {a/b: {}}", "1:16: repository \"a/b\" needs \"source\"",
            "1:16: repository \"a/b\" needs \"image\""),
        // A misspelt key is told once, not as missing too.
        Case(
            "repositories: {a/b: {sorce: /srv/b, image: r.test/b}}",
            "1:22: unknown key \"sorce\" in repository \"a/b\"; nearest is \"source\""),
        Case(
            "repositories: {b: {source: /srv/b, image: r.test/b}}",
            "1:16: \"b\" is not a repository's name: <namespace>/<name> of letters, digits, \".\", \"_\" and \"-\" is"),
        Case(
            repository("", source: "b.git"),
            "3:13: \"b.git\" can't be cloned from: write https://host/path, ssh://user@host/path, user@host:path, git://host/path or an absolute path"
        ),
        Case(
            repository("", source: "https://me:secret@h.test/b"),
            "3:13: the address of host \"h.test\" holds a user or password: those go under \"credentials\""),
        Case(
            repository("", image: "r.test/b:latest"),
            "4:12: \"r.test/b:latest\" can't be an image's name: it carries a tag; tags come from the rules"),

        // Credentials of the wrong kind for the source.
        Case(repository("", source: "git@h.test:b"), "3:13: an ssh source needs \"credentials\" with \"ssh_key\""),
        Case(
            repository("credentials: {username: a, password: p}", source: "git@h.test:b"),
            "5:18: an ssh source is opened with \"ssh_key\", not with a password"),
        Case(
            repository("credentials: {ssh_key: {env: KEY}}", source: "https://h.test/b"),
            "5:18: \"ssh_key\" is for ssh sources; an https source takes username and password"),
        Case(
            repository("credentials: {username: a, password: p}"),
            "5:18: a local path takes no credentials; leave them out"),
        Case(
            repository("credentials: {username: a, ssh_key: {env: KEY}}", source: "https://h.test/b"),
            "5:18: credentials are either username and password, or ssh_key"),
        Case(
            repository("credentials: {}", source: "https://h.test/b"),
            "5:18: credentials are either username and password, or ssh_key"),
        Case(
            repository("credentials: {username: a}", source: "https://h.test/b"),
            "5:18: credentials with a username needs \"password\""),
        Case(
            repository("credentials: {ssh_key: ssh-ed25519 AAAA}", source: "git@h.test:b"),
            "5:28: ssh_key holds no private key, which begins with \"-----BEGIN … PRIVATE KEY-----\""),

        // Secrets.
        Case(
            repository("webhook_secret: {env: NONE}"),
            "5:27: webhook_secret is not there: the environment has no variable NONE"),
        Case(
            repository("webhook_secret: {env: EMPTY}"),
            "5:27: webhook_secret is empty: the environment's variable EMPTY is"),
        Case(
            repository("webhook_secret: {file: /nowhere/secret}"),
            "5:28: webhook_secret can't be read from /nowhere/secret: there is no such file"),
        Case(repository("webhook_secret: {file: /}"), "5:28: webhook_secret can't be read from /: it is a folder"),
        Case(
            repository("webhook_secret: {file: /dev/null}"), "5:28: webhook_secret is empty: the file /dev/null is"),
        Case(repository("webhook_secret: ''"), "5:21: webhook_secret is empty"),
        Case(repository("webhook_secret: {}"), "5:21: webhook_secret needs \"env\" or \"file\""),
        Case(
            repository("webhook_secret: {env: KEY, file: /k}"),
            "5:21: webhook_secret must be either {env: NAME} or {file: PATH}, not both"),
        Case(
            repository("webhook_secret: {evn: KEY}"), "5:22: unknown key \"evn\" in webhook_secret; nearest is \"env\""),
        Case(
            repository("trigger_tokens: [[a]]"),
            "5:22: a trigger token must be {env: NAME} or {file: PATH}, not a list"),
        Case(
            repository("trigger_tokens: [0123456789abcdef, 0123456789abcdef]"),
            "5:40: this trigger token is in the list already"),
        Case(
            repository("trigger_tokens: [0123456789abcdef]")
                + "\n  a/c: {source: /srv/c, image: r.test/c, trigger_tokens: [0123456789abcdef]}",
            "6:59: this trigger token is one of \"a/b\" too, and the token decides which repository is built"),
    ])
    func whoAndWhere(_ example: Case) {
        #expect(faults(example.text, environment: ["KEY": privateKey, "EMPTY": ""]) == example.faults)
    }

    @Test(arguments: [
        // Which refs.
        Case(rule("tags: latest"), "6:9: a rule needs \"branch\" or \"tag\""),
        Case(rule("{branch: main, tag: v1}"), "6:24: a rule is for a branch or for a tag, not both"),
        Case(rule("brnach: main"), "6:9: unknown key \"brnach\" in a rule; nearest is \"branch\""),
        Case(rule("branch: a b"), "6:17: \"a b\" can't be the name of a branch: it holds \" \""),
        Case(rule("branch: //"), "6:17: // is an empty regular expression; /.*/ matches every name"),
        Case(
            repository("rules: []"), "5:12: rules has no rule; without \"rules\" the default branch is built as latest"),
        Case(repository("rules: {branch: main}"), "5:12: rules must be a list, not a mapping"),
        Case(repository("rules:"), "5:5: \"rules\" has no value; give it one or leave the key out"),

        // Tags.
        Case(
            rule("{branch: main, tags: 'a b'}"),
            "6:30: \"a b\" can't be a tag: letters, digits, \"_\", \".\" and \"-\" can"),
        Case(rule("{branch: main, tags: 'latest,'}"), "6:30: a tag's name is empty"),
        Case(rule("{branch: main, tags: []}"), "6:30: tags has no tag; without \"tags\" it is latest"),
        Case(
            rule("{branch: main, tags: ['{brunch}']}"),
            "6:31: \"{brunch}\" uses {brunch}, which is not known; nearest is {branch}"),
        Case(
            rule("{branch: main, tags: ['{tag}']}"),
            "6:31: \"{tag}\" uses {tag}, but the rule is for branches; {branch} and {sourceref} are known"),
        Case(
            rule("{branch: main, tags: ['{major}.{minor}']}"),
            "6:31: \"{major}.{minor}\" uses {major}, which is read from a Git tag, but the rule is for branches",
            "6:31: \"{major}.{minor}\" uses {minor}, which is read from a Git tag, but the rule is for branches"),
        Case(
            rule("{tag: v1, tags: ['{branch}']}"),
            "6:26: \"{branch}\" uses {branch}, but the rule is for tags; {tag} and {sourceref} are known"),
        Case(
            rule("{branch: main, tags: ['{\\1}']}"),
            "6:31: \"{\\1}\" uses {\\1}, but only a rule with a /regular expression/ has groups"),
        Case(rule("{tag: /^v(.+)$/, tags: ['{\\2}']}"), "6:33: \"{\\2}\" uses {\\2}, but /^v(.+)$/ has one group"),
        Case(rule("{tag: /^v/, tags: ['{\\1}']}"), "6:28: \"{\\1}\" uses {\\1}, but /^v/ has no groups"),

        // Paths.
        Case(
            rule("{branch: main, dockerfile: ../Dockerfile}"),
            "6:36: dockerfile \"../Dockerfile\" leaves the repository"),
        Case(
            rule("{branch: main, context: app, dockerfile: ../../Dockerfile}"),
            "6:50: dockerfile \"../../Dockerfile\" leaves the repository"),
        Case(rule("{branch: main, context: /a/../..}"), "6:33: context \"/a/../..\" leaves the repository"),

        // The rest.
        Case(
            rule("{branch: main, build_args: [A]}"), "6:36: build_args must be a mapping of names and texts, not a list"
        ),
        Case(
            rule("{branch: main, build_args: {A-B: c}}"),
            "6:37: \"A-B\" can't be a build argument: letters, digits and \"_\" that don't begin with a digit can"),
        Case(
            rule("{branch: main, build_args: {A: [b]}}"),
            "6:40: build argument A must be text, not a list; an empty one is \"\""),
        Case(
            rule("{branch: main, target: --push}"), "6:32: target \"--push\" can't be the name of a Dockerfile's stage"),
        Case(rule("{branch: main, cache: 2}"), "6:31: cache is \"2\"; write true, false or registry"),
        Case(
            rule("{branch: main, timeout: 90}"),
            "6:33: timeout is \"90\"; a duration is written as in 90s, 30m, 1h or 1h30m"),
        Case(rule("{branch: main, timeout: 0s}"), "6:33: timeout is \"0s\"; 1s to 24h can be"),
        Case(rule("{branch: main, timeout: 24h1s}"), "6:33: timeout is \"24h1s\"; 1s to 24h can be"),

        // Which changes, and what a trigger may set.
        Case(
            rule("{tag: v1, paths: src/, paths_ignore: [docs/]}"),
            "6:19: paths is for rules for branches, never for tags: a tag is built whatever changed",
            "6:32: paths_ignore is for rules for branches, never for tags: a tag is built whatever changed"),
        Case(
            rule("{branch: main, paths: [/, '']}"),
            "6:32: \"/\" is no pattern of paths: src/**, *.md and docs/ are", "6:35: paths is empty"),
        Case(
            rule("{branch: main, paths_ignore: []}"),
            "6:38: paths_ignore has no pattern; leave it out where every file counts"),
        Case(
            rule("{branch: main, path_ignore: a}"),
            "6:24: unknown key \"path_ignore\" in a rule; nearest is \"paths_ignore\""),
        Case(
            rule("{branch: main, trigger_build_args: [A, 1B]}"),
            "6:48: \"1B\" can't be a build argument: letters, digits and \"_\" that don't begin with a digit can"),
        Case(
            rule("{branch: main, trigger_build_args: {A: b}}"),
            "6:44: a name of trigger_build_args must be text, not a mapping"),

        // The commit tag.
        Case(
            repository("commit_tag: '{date}'"), "5:17: commit_tag \"{date}\" must name the commit, by {sha12} or {sha}"),
        Case(
            repository("commit_tag: '{tag}-{sha}'"),
            "5:17: commit_tag uses {tag}, but the rule is for branches; {branch} and {sourceref} are known"),
        Case(
            repository("commit_tag: '{branch}-{sha}'\nrules: [{branch: main}, {tag: v1}]"),
            "5:17: commit_tag, in rule 2, uses {branch}, but the rule is for tags; {tag} and {sourceref} are known"),
    ])
    func rules(_ example: Case) {
        #expect(faults(example.text) == example.faults)
    }

    @Test func aBadExpressionIsToldAtItsPlace() throws {
        let fault = try #require(faults(rule("tag: /^v(/")).first)
        #expect(fault.hasPrefix("6:14: /^v(/ is not a regular expression: "))
    }

    @Test func tenMistakesAreToldInOneRunInOrder() {
        let text = """
            listen: 0.0.0.0:8080
            engin: docker
            workers: many
            registries:
              r.test: {username: robot}
            repositories:
              acme/shop:
                image: r.test/shop:1
                webhook_secret: {env: NONE}
                rules:
                  - branch: main
                    tags: ['{tag}']
                  - tag: '/^v(/'
                    timeout: soon
                  - branch: main
                    dockerfle: Dockerfile
            """
        let told = faults(text)
        #expect(
            told.map { $0.split(separator: " ")[0] } == [
                "1:9:", "2:1:", "3:10:", "5:3:", "7:3:", "8:12:", "9:27:", "12:16:", "13:14:", "14:18:", "16:9:",
            ])
    }

    @Test func bytesThatAreNoTextAreToldAtTheirPlace() throws {
        try inFolder { folder in
            let path = folder + "/slipway.yaml"
            try Data([0x75, 0x72, 0x6c, 0x0a, 0x61, 0x3a, 0x20, 0xff]).write(to: URL(fileURLWithPath: path))
            #expect(
                throws: SettingsErrors(findings: [
                    Finding(file: path, line: 2, column: 4, message: "this is not YAML: invalid leading UTF-8 octet")
                ])
            ) { try SettingsFile.read(path: path, environment: [:]) }
        }
    }

    @Test func fewLinesCannotStandForAGiantTree() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...8 {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        #expect(faults(text).contains { $0.hasSuffix("the document has more than 100000 parts") })
    }
}
