import Foundation
import Model
import Settings
import Testing

/// What no program can decide is said.
extension DockerHubImportTests {
    @Test(arguments: [
        (#""autotests": "SOURCE_AND_FORKS""#, "Autotests (SOURCE_AND_FORKS)"),
        (#""repo_links": true"#, "Docker Hub built again when a base image changed"),
        (
            #""envvars": [{"name": "A", "value": "hidden"}, {"key": "B", "value": "hidden"}, "C=hidden"]"#,
            "Docker Hub gave A, B, C to"
        ),
        (#""envvars": {"A": "hidden"}"#, "Docker Hub gave A to"),
    ])
    func whatDockerHubDidBesides(_ field: String, _ words: String) throws {
        let draft = try draft("{\(field), \(source([["source_name": "main"]]).dropFirst())")
        #expect(draft.decisions == Self.usual + 1)
        #expect(decisions(draft).contains { $0.hasPrefix(words) }, "\(decisions(draft))")
        #expect(!draft.yaml.contains("hidden"))
        #expect(try settings(draft).repositories[0].rules.count == 1)
    }

    @Test func moreThatIsSaid() throws {
        let rules = [["source_name": "main"]]
        let submodules = try draft(source(rules, ["envvars": [["name": "SSH_PRIVATE", "value": "x"]]]))
        #expect(decisions(submodules).contains { $0.hasPrefix("SSH_PRIVATE was the key for private submodules") })
        let mercurial = try draft(classic(rules, ["repo_type": "hg"]))
        #expect(decisions(mercurial).contains { $0.contains("Mercurial") })
        let farm = try draft(source(rules, ["build_in_farm": false, "channel": "Edge"]))
        #expect(farm.decisions == Self.usual)
        #expect(farm.yaml.contains("# Docker Hub built this on nodes of its owner"))
        #expect(farm.yaml.contains("Docker's channel Edge"))
        let cut = try draft("{\"meta\": {\"next\": \"/api/…\"}, \"objects\": [\(source(rules))]}")
        #expect(decisions(cut).contains { $0.hasPrefix("Docker Hub's list goes on") })
        let unnamed = try draft(source([["source_type": "Branch"]]))
        #expect(decisions(unnamed).contains { $0.hasPrefix("Docker Hub was given no name, which meant master") })
        let twice = try draft(source([["source_name": "main", "tag": "a"], ["source_name": "main", "tag": "b"]]))
        #expect(twice.yaml.contains("# Builds the same as rule 1"))
        let elsewhere = try draft(source(rules, ["image": "quay.io/acme/shop"]))
        #expect(elsewhere.variables == ["QUAY_IO_TOKEN", "SHOP_WEBHOOK_SECRET"])
        #expect(try settings(elsewhere).repositories[0].image.text == "quay.io/acme/shop")
    }

    @Test(arguments: [
        // What only one of the two dialects knows, or both read differently.
        ("/^v1\\b/", "\\b is the end of a word"), ("/[a--b]/", "&&, -- and ~~"),
        ("/^v[[:digit:]]$/", "\\d, [[:digit:]]"), ("/^(?=v)/", "\\d, [[:digit:]]"),
        ("^v(.+)$", "The file has ^v(.+)$ without slashes"),
        ("refs/heads/main", "\"refs/heads/main\" is taken for a name without refs/"),
    ])
    func expressionsToLookAt(_ name: String, _ words: String) throws {
        let draft = try draft(source([["source_name": name]]))
        #expect(decisions(draft).contains { $0.hasPrefix(words) }, "\(decisions(draft))")
        #expect(try settings(draft).repositories[0].rules.count == 1)
    }

    @Test(arguments: [
        // Expressions that can't be read, and what is no expression.
        (["source_name": "/(?<=v)1/"], "lookbehind"), (["source_name": "/(/"], "not a regular expression"),
        (["source_name": "//"], "empty regular expression"), (["source_name": "/^v.+$/i"], "/(?i)^v.+$/ would"),
        (["source_name": "a..b"], "can't be the name of a branch"),
        (["source_type": "Pull request", "source_name": "x"], "its source type is"), (["source_type": "Tag"], "no tag"),
        // Templates and paths.
        (["source_name": "main", "tag": "{/1}"], "{\\1}"), (["source_name": "main", "tag": "{\\1}"], "has groups"),
        (["source_name": "/v(.)/", "tag": "{\\2}"], "one group"),
        (["source_name": "main", "tag": "a b"], "can't be a tag"),
        (["source_name": "main", "tag": ","], "tags has no tag"),
        (["source_name": "main", "dockerfile": "../Dockerfile"], "leaves the repository"),
    ])
    func aRuleThatCannotBeIsAComment(_ fields: [String: String], _ words: String) throws {
        let draft = try draft(source([["source_name": "good"], fields]))
        #expect(try settings(draft).repositories[0].rules.map(\.source) == [.branch(try Pattern("good"))])
        #expect(draft.rules == 1)
        let told = decisions(draft).filter { $0.hasPrefix("This rule can't be carried over: ") }
        #expect(told.count == 1)
        #expect(told.first?.contains(words) == true, "\(told)")

        // Without a rule nothing may be built by mistake.
        let none = try self.draft(source([fields]))
        #expect(throws: SettingsErrors.self) { try settings(none) }
    }
}
