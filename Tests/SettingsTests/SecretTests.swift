import Foundation
import Model
import Settings
import Testing

@Suite struct SecretTests {
    @Test func aVariableGivesASecret() throws {
        let settings = try read(repository("webhook_secret: {env: S}"), environment: ["S": "swordfish"])
        #expect(settings.repositories[0].webhookSecrets == [Secret("swordfish")])
    }

    @Test func aFileBesideTheSettingsGivesASecretWithoutItsLineEnd() throws {
        try inFolder { folder in
            try Data("swordfish\n".utf8).write(to: URL(fileURLWithPath: folder + "/secret"))
            let text = repository("webhook_secret: [{file: secret}, {file: '\(folder)/secret'}]")
            let (settings, _) = try SettingsFile.parse(text: text, file: folder + "/slipway.yaml", environment: [:])
            #expect(settings.repositories[0].webhookSecrets == [Secret("swordfish"), Secret("swordfish")])
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
        let text = repository("webhook_secret: swordfish")
        #expect(try read(text).repositories[0].webhookSecrets == [Secret("swordfish")])
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
                webhook_secret: {env: D}
                trigger_tokens: [{env: E}]
            """
        let environment = Dictionary(uniqueKeysWithValues: "ABCDE".map { (String($0), "secret of \($0)") })
        #expect(try read(text, environment: environment).secrets.map(\.value).sorted() == environment.values.sorted())
    }

    @Test(arguments: [
        // Guessable, or in need of escapes.
        ("trigger_tokens: [{env: SHORT}]", "5:22: the trigger token is shorter than 16 characters and may be guessed"),
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
    ])
    func warned(_ lines: String, _ warning: String) throws {
        let environment = ["SHORT": "short", "ODD": "0123456789/bcdef"]
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
