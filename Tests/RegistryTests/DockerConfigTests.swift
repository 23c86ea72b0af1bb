import Foundation
import Model
import Registry
import TestSupport
import Testing

@Suite struct DockerConfigTests {
    /// A folder with configuration files, gone with the test.
    private final class Home {
        let path = FileManager.default.temporaryDirectory.appending(path: "docker-config-\(UUID())").path

        func write(_ text: String, to name: String, mode: Int = 0o600) throws {
            let url = URL(fileURLWithPath: "\(path)/\(name)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: url.path)
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private let home = Home()

    private func load(_ environment: [String: String]? = nil) throws -> DockerConfig? {
        // Helpers are the programs of that name in the test's own folder.
        let folder = home.path
        return try DockerConfig.load(environment: environment ?? ["DOCKER_CONFIG": folder]) {
            program, arguments, input in
            try Self.run("\(folder)/bin/\(program)", arguments, input)
        }
    }

    private static func run(_ program: String, _ arguments: [String], _ input: Data) throws -> DockerConfig.HelperResult
    {
        let process = Program()
        let (stdin, stdout) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.runUnmasked()
        try stdin.fileHandleForWriting.write(contentsOf: input)
        try stdin.fileHandleForWriting.close()
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return DockerConfig.HelperResult(exitCode: process.terminationStatus, output: output)
    }

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    @Test(arguments: [
        // Every way in which a key is written.
        ("registry.example.com", "registry.example.com"),
        ("https://registry.example.com", "registry.example.com"),
        ("https://registry.example.com/v2/", "registry.example.com"),
        ("registry.example.com/v1/", "registry.example.com"),
        ("http://localhost:5000", "localhost:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("docker.io", "docker.io"),
    ])
    func findsTheHost(_ key: String, _ host: String) async throws {
        try home.write(#"{"auths": {"\#(key)": {"auth": "\#(base64("robot:pass:word"))"}}}"#, to: "config.json")
        let config = try #require(try load())
        #expect(try await config.login(for: host) == Login(username: "robot", password: Secret("pass:word")))
        #expect(try await config.login(for: "other.example.com") == nil)
    }

    @Test func readsEveryFormOfEntry() async throws {
        try home.write(
            """
            {"auths": {
                "plain": {"username": "u", "password": "p"},
                "nul.example.com": {"auth": "\(base64("u:p\0\0"))", "email": "x@example.com"},
                "token.example.com": {"auth": "\(base64("<token>:"))", "identitytoken": "refresh"},
                "empty.example.com": {},
                "quay.io": {"auth": "\(base64("all:p"))"},
                "quay.io/acme": {"auth": "\(base64("acme:p"))"}
            }, "HttpHeaders": {"User-Agent": "x"}}
            """, to: "config.json")
        let config = try #require(try load())
        #expect(try await config.login(for: "plain")?.username == "u")
        #expect(try await config.login(for: "nul.example.com")?.password.value == "p")
        let token = try await config.login(for: "token.example.com")
        #expect(token == Login(username: DockerConfig.identityTokenUser, password: Secret("refresh")))
        #expect(try await config.login(for: "empty.example.com") == nil)
        #expect(try await config.login(for: "quay.io", path: "acme/shop")?.username == "acme")
        #expect(try await config.login(for: "quay.io", path: "other/shop")?.username == "all")
        #expect(try await config.login(for: "quay.io")?.username == "all")
    }

    @Test func takesTheFilesInOrder() async throws {
        #expect(try load(["HOME": home.path]) == nil)
        #expect(try load([:]) == nil)
        func file(_ user: String, _ host: String) -> String {
            #"{"auths": {"\#(host)": {"auth": "\#(base64("\(user):p"))"}}}"#
        }
        try home.write(file("podman", "a"), to: "run/containers/auth.json")
        var environment = ["HOME": home.path, "XDG_RUNTIME_DIR": "\(home.path)/run"]
        #expect(try await load(environment)?.login(for: "a")?.username == "podman")
        try home.write(file("docker", "a"), to: ".docker/config.json")
        #expect(try await load(environment)?.login(for: "a")?.username == "docker")
        try home.write(file("other", "b"), to: "elsewhere/config.json")
        environment["DOCKER_CONFIG"] = "\(home.path)/elsewhere"
        #expect(try await load(environment)?.login(for: "a")?.username == "podman")
        #expect(try await load(environment)?.login(for: "b")?.username == "other")
    }

    @Test(arguments: [
        "", "[]", "{", #"{"auths": []}"#, #"{"auths": {"a": {"auth": "c2VjcmV0"}}}"#,
        #"{"auths": {"a": {"auth": "?s3cret"}}}"#,
    ])
    func refusesWhatIsBroken(_ text: String) throws {
        try home.write(text, to: "config.json")
        let error = #expect(throws: UnreadableConfig.self) { try load() }
        let sentence = try #require(error).description
        #expect(sentence.contains("config.json"))
        #expect(!sentence.contains("c2VjcmV0") && !sentence.contains("s3cret"))
    }

    @Test func asksTheHelpers() async throws {
        try home.write(
            """
            {"credsStore": "store", "credHelpers": {"ecr.example.com": "ecr", "gone.example.com": "gone", "odd.example.com": "odd", "bad.example.com": "bad"},
             "auths": {"unknown.example.com": {"auth": "\(base64("file:p"))"}}}
            """, to: "config.json")
        func helper(_ name: String, _ script: String) throws {
            try home.write(
                "#!/bin/sh\n[ \"$1\" = get ] || exit 9\nserver=$(cat)\n\(script)\n",
                to: "bin/docker-credential-\(name)", mode: 0o755)
        }
        try helper(
            "store",
            #"""
            case $server in *unknown*) echo "credentials not found in native keychain"; exit 1;; esac
            printf '{"ServerURL":"%s","Username":"at %s","Secret":"p"}' "$server" "$server"
            """#)
        try helper("ecr", #"echo '{"Username":"<token>","Secret":"identity"}'"#)
        try helper("bad", "echo 'secret thing went wrong'; exit 1")
        try helper("odd", "echo hello")
        let config = try #require(try load())
        #expect(try await config.login(for: "any.example.com")?.username == "at any.example.com")
        #expect(try await config.login(for: "docker.io")?.username == "at https://index.docker.io/v1/")
        #expect(
            try await config.login(for: "ecr.example.com") == Login(username: "<token>", password: Secret("identity")))
        #expect(try await config.login(for: "unknown.example.com")?.username == "file")
        for (host, words) in [
            ("bad.example.com", "exit code 1"), ("odd.example.com", "JSON"), ("gone.example.com", "could not be run"),
        ] {
            let error = await #expect(throws: HelperFailure.self) { try await config.login(for: host) }
            let sentence = try #require(error).description
            #expect(sentence.contains(words) && !sentence.contains("secret thing"))
        }
    }
}
