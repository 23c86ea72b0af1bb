import Foundation
import Model
import Settings
import Testing

/// `trigger_tokens`.
@Suite struct TriggerTokenTests {
    private static let hash = String(repeating: "0f", count: 32)

    private func tokens(_ list: String, environment: [String: String] = [:]) throws -> [TriggerToken] {
        let rules = "\nrules: [{branch: main}, {branch: dev}, {tag: v1}]"
        return try read(repository("trigger_tokens: \(list)\(rules)"), environment: environment)
            .repositories[0].triggerTokens
    }

    @Test func everyWayToWriteThem() throws {
        let (first, second) = ("the-first-of-the-tokens", "the-second-of-the-tokens")
        let list = """
            [{env: A}, {name: nightly, token: {env: B}}, {sha256: \(Self.hash.uppercased()), rules: [1, 3]},
             {name: by hand, sha256: '\(String(repeating: "1", count: 64))', rules: 2}]
            """
        let hash = Data(repeating: 0x0f, count: 32)
        // A file's line end is no part of the token.
        #expect(
            try tokens(list, environment: ["A": first + "\n", "B": second]) == [
                TriggerToken(name: "token 1", token: Secret(first)),
                TriggerToken(name: "nightly", token: Secret(second)),
                TriggerToken(name: "token 3", hash: hash, rules: [1, 3]),
                TriggerToken(name: "by hand", hash: Data(repeating: 0x11, count: 32), rules: [2]),
            ])
        #expect(try tokens("{env: A}", environment: ["A": first]).map(\.name) == ["token 1"])
    }

    @Test func aHashIsThatOfSha256sum() {
        #expect(
            TriggerToken(name: "a", token: Secret("abc")).hash
                == Data(base64Encoded: "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="))
    }

    @Test func aHashNeedsNoWarning() throws {
        #expect(try warnings(repository("trigger_tokens: [{name: a, sha256: \(Self.hash)}]")) == [])
    }

    @Test(arguments: [
        // Keys.
        ("[{tokne: a}]", ["5:23: unknown key \"tokne\" in a trigger token; nearest is \"token\""]),
        ("[{fiel: a}]", ["5:23: unknown key \"fiel\" in a trigger token; nearest is \"file\""]),
        (
            "[{env: A, name: a}]",
            [
                "5:22: a trigger token needs \"token\" or \"sha256\"",
                "5:23: unknown key \"env\" in a trigger token; valid are \"name\", \"token\", \"sha256\", \"rules\"",
            ]
        ),
        ("[{}]", ["5:22: a trigger token needs \"env\" or \"file\""]),
        ("[{name: a}]", ["5:22: a trigger token needs \"token\" or \"sha256\""]),
        (
            "[{token: {env: A}, sha256: \(hash)}]",
            ["5:22: a trigger token has either \"token\" or \"sha256\", not both"]
        ),
        ("[{name: , token: {env: A}}]", ["5:23: \"name\" has no value; give it one or leave the key out"]),

        // What they are made of; not shown, since it may be the token.
        (
            "[{sha256: secret}]",
            [
                "5:31: sha256 must be the token's hash, 64 hexadecimal digits; slipway token makes a token and shows both"
            ]
        ),
        (
            "[{sha256: \(hash.dropLast(2))}]",
            [
                "5:31: sha256 must be the token's hash, 64 hexadecimal digits; slipway token makes a token and shows both"
            ]
        ),
        ("[{token: {env: NONE}}]", ["5:36: a trigger token is not there: the environment has no variable NONE"]),

        // Twice.
        (
            "[{name: a, token: {env: A}}, {name: a, sha256: \(hash)}]",
            ["5:50: another trigger token is named \"a\" too"]
        ),
        ("[{name: token 2, token: {env: A}}, {env: B}]", ["5:56: another trigger token is named \"token 2\" too"]),
        ("[{env: A}, {token: {env: A}}]", ["5:40: this trigger token is in the list already"]),
        (
            "[{env: A}, {name: a, sha256: \(TriggerToken.hash("a-token-of-the-tests").map { String(format: "%02x", $0) }.joined())}]",
            ["5:50: this trigger token is in the list already"]
        ),

        // Rules.
        (
            "[{token: {env: A}, rules: [1, 2]}]",
            ["5:51: a trigger token's rule is \"2\"; a whole number from 1 to 1 can be"]
        ),
        (
            "[{token: {env: A}, rules: main}]",
            ["5:47: a trigger token's rule is \"main\"; a whole number from 1 to 1 can be"]
        ),
        (
            "[{token: {env: A}, rules: []}]",
            ["5:47: rules names no rule; without \"rules\" a trigger token may start every rule"]
        ),
    ])
    func faulty(_ list: String, _ told: [String]) {
        let environment = ["A": "a-token-of-the-tests", "B": "another-of-the-tests"]
        #expect(faults(repository("trigger_tokens: \(list)"), environment: environment) == told)
    }

    @Test func rulesThatCannotBeReadCountAllTheSame() {
        let lines = "trigger_tokens: {sha256: \(Self.hash), rules: [2, 3]}\nrules: [{branch: a b}, {tag: v1}]"
        #expect(
            faults(repository(lines)) == [
                "5:107: a trigger token's rule is \"3\"; a whole number from 1 to 2 can be",
                "6:22: \"a b\" can't be the name of a branch: it holds \" \"",
            ])
    }

    @Test func aHashOfAnotherRepositoryIsTold() {
        let text =
            repository("trigger_tokens: {sha256: \(Self.hash)}")
            + "\n  a/c: {source: /srv/c, image: r.test/c, trigger_tokens: {name: x, sha256: \(Self.hash)}}"
        #expect(
            faults(text) == [
                "6:76: this trigger token is one of \"a/b\" too, and the token decides which repository is built"
            ])
    }
}
