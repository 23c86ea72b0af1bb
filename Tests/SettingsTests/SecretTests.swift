import Foundation
import Model
import Settings
import Testing

@Suite struct SecretTests {
    @Test func aVariableGivesASecret() throws {
        let settings = try read(repository("webhook_secret: {env: S}"), environment: ["S": "swordfish of the seas"])
        #expect(settings.repositories[0].webhookSecrets == [Secret("swordfish of the seas")])
    }

    @Test func aFileBesideTheSettingsGivesASecretWithoutItsLineEnd() throws {
        try inFolder { folder in
            try Data("swordfish of the seas\n".utf8).write(to: URL(fileURLWithPath: folder + "/secret"))
            let text = repository("webhook_secret: [{file: secret}, {file: '\(folder)/secret'}]")
            let (settings, _) = try SettingsFile.parse(text: text, file: folder + "/slipway.yaml", environment: [:])
            #expect(
                settings.repositories[0].webhookSecrets == [
                    Secret("swordfish of the seas"), Secret("swordfish of the seas"),
                ])
        }
    }

    @Test func aPrivateKeyKeepsEveryByte() throws {
        try inFolder { folder in
            try Data(privateKey.utf8).write(to: URL(fileURLWithPath: folder + "/key"))
            try Data("h.test ssh-ed25519 AAAA\n".utf8).write(to: URL(fileURLWithPath: folder + "/hosts"))
            let text = repository(
                "credentials: {ssh_key: {file: key}, passphrase: {env: P}, known_hosts: {file: hosts}}",
                source: "ssh://git@h.test/b.git")
            let (settings, warnings) = try SettingsFile.parse(
                text: text, file: folder + "/slipway.yaml", environment: ["P": "open\r\n"])
            let key = GitCredentials.SSHKey(
                privateKey: Secret(privateKey), passphrase: Secret("open"), knownHosts: "h.test ssh-ed25519 AAAA\n")
            #expect(settings.repositories[0].credentials == .ssh(key))
            #expect(warnings == [])
        }
    }

    @Test func knownHostsMayBePlainWithoutAWarning() throws {
        let text = repository("credentials: {ssh_key: {env: K}, known_hosts: h.test ssh-rsa A}", source: "git@h.test:b")
        #expect(try warnings(text, environment: ["K": privateKey]) == [])
    }

    @Test func aPlainSecretWorksWithAWarningThatDoesNotShowIt() throws {
        let text = repository("webhook_secret: swordfish of the seas")
        #expect(try read(text).repositories[0].webhookSecrets == [Secret("swordfish of the seas")])
        let hint = "webhook_secret can be read by whoever reads this file; {env: NAME} or {file: PATH} hides it"
        #expect(try warnings(text) == ["5:21: \(hint)"])
    }

    @Test func everySecretIsGivenForMasking() throws {
        let text = """
            access: [{name: a, token: {env: A}, role: read}]
            registries: {r.test: {username: u, password: {env: B}}}
            repositories:
              a/b:
                source: https://h.test/b
                image: r.test/b
                credentials: {username: u, password: {env: C}}
                webhook_secret: [{env: D}, {env: E}]
                trigger_tokens: [{env: NOT_KEPT}]
            webhook_secret: {env: F}
            """
        var environment = Dictionary(uniqueKeysWithValues: "ABCDEF".map { (String($0), "secret of \($0)") })
        let secrets = environment.values.sorted()
        environment["NOT_KEPT"] = "a token of which only the hash is kept"
        #expect(try read(text, environment: environment).secrets.map(\.value).sorted() == secrets)
    }

    @Test(arguments: [
        // Guessable, or in need of escapes.
        ("trigger_tokens: [{env: SHORT}]", "5:22: the trigger token is shorter than 16 characters and may be guessed"),
        (
            "trigger_tokens: [{name: a, token: {env: SHORT}}]",
            "5:39: the trigger token is shorter than 16 characters and may be guessed"
        ),
        ("webhook_secret: {env: SHORT}", "5:21: webhook_secret is shorter than 16 characters and may be guessed"),
        // What follows the prefix is the key.
        ("webhook_secret: {env: SIGNING}", "5:21: webhook_secret is shorter than 16 characters and may be guessed"),
        (
            "trigger_tokens: [{env: ODD}]",
            "5:22: the trigger token holds characters that must be escaped in an address; letters and digits need not"
        ),
        // Patterns that will not do what they look like.
        (
            "rules: [{tag: '^v([0-9.]+)$'}]",
            "5:19: \"^v([0-9.]+)$\" is taken for an exact name; did you mean /^v([0-9.]+)$/?"
        ),
        (
            "rules: [{branch: refs/heads/main}]",
            "5:22: \"refs/heads/main\" is taken for a name without refs/…; did you mean \"main\"?"
        ),
        (
            "rules: [{branch: main, paths: ['**', '!docs/']}]",
            "5:42: \"!docs/\" is taken for a name that begins with \"!\"; what is not to count goes under paths_ignore"
        ),
        // Webhooks of anybody.
        (
            "verify_webhooks: false",
            "5:22: verify_webhooks is false: webhooks of anybody who knows the address are taken, and each can start builds"
        ),
    ])
    func warned(_ lines: String, _ warning: String) throws {
        let environment = ["SHORT": "short", "ODD": "0123456789/bcdef", "SIGNING": "whsec_c2hvcnRlcg=="]
        #expect(try warnings(repository(lines), environment: environment) == [warning])
    }

    @Test func twoRepositoriesThatShareAnImageAreToldApartByTheirCommitTags() throws {
        let second = "\n  a/c: {source: /srv/c, image: r.test/b"
        #expect(
            try warnings(repository("") + second + "}") == [
                "6:3: \"a/c\" and \"a/b\" push to the same image under the same commit tags; "
                    + "give one of them a \"commit_tag\" of its own"
            ])
        #expect(try warnings(repository("") + second + ", commit_tag: 'c-{sha12}'}") == [])
    }
}

/// Runs a test in a folder of its own, which is gone afterwards.
func inFolder(_ test: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("slipway-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    try test(folder.path)
}
