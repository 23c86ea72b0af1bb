import Foundation
import Model
import Platform
import Testing

@testable import Engine

@Suite struct EnginePartsTests {
    @Test func findsInstructionsByLineAndStep() {
        let file = Dockerfile(
            """
            # escape=`
            ARG V=1
            FROM a
            RUN one `
              # comment

              two
            COPY <<EOF /x
            RUN not this
            EOF
            FROM b AS last
            RUN three
            """)
        #expect(
            file.instructions == [
                .init(line: 2, text: "ARG V=1", stage: 0, step: 1),
                .init(line: 3, text: "FROM a", stage: 1, step: 1),
                .init(line: 4, text: "RUN one two", stage: 1, step: 2),
                .init(line: 8, text: "COPY <<EOF /x", stage: 1, step: 3),
                .init(line: 11, text: "FROM b AS last", stage: 2, step: 1),
                .init(line: 12, text: "RUN three", stage: 2, step: 2),
            ])
    }

    @Test(arguments: ["", "\n\n", "# only\n", "RUN x \\", "COPY <<EOF /x\nnever ended"])
    func readsOddDockerfilesToTheEnd(_ text: String) {
        #expect(Dockerfile(text).instructions.count <= 1)
    }

    @Test func keepsTheLastLinesWithoutColours() {
        var tail = OutputTail()
        tail.append(Data("\u{1B}[31mred\u{1B}[0m\n10%\r50%\r100%\n\n  \nla".utf8))
        tail.append(Data("st\r\n".utf8))
        #expect(tail.lines == ["red", "100%", "last"])
        for _ in 0..<10_000 { tail.append(Data("0123456789\n".utf8)) }
        #expect(tail.lines.count < 6000)
        #expect(tail.lines.last == "0123456789")
    }

    @Test func writesLoginsAsDockerReadsThem() throws {
        let logins = [
            "docker.io": Login(username: "me", password: Secret("p:w")),
            "r.example.com:5000": Login(username: "<token>", password: Secret("tok")),
        ]
        let auths = Credentials.auths(logins)
        #expect(auths["https://index.docker.io/v1/"] == ["auth": Data("me:p:w".utf8).base64EncodedString()])
        #expect(auths["r.example.com:5000"] == ["identitytoken": "tok"])
        let file = try JSONSerialization.jsonObject(with: Credentials.file(logins)) as? [String: [String: Any]]
        #expect(file?["auths"]?.keys.sorted() == ["docker.io", "r.example.com:5000"])
    }

    @Test func addsInsecureRegistriesToTheOperatorsOwn() {
        let text = RegistriesConfiguration(
            operators: "# unqualified-search-registries = []\n[[registry]]\nlocation = \"known:1\"\n",
            insecure: ["new:2", "known:1"]
        ).text
        #expect(text.hasPrefix("unqualified-search-registries = [\"docker.io\"]\nshort-name-mode"))
        #expect(text.contains("location = \"new:2\"\ninsecure = true"))
        #expect(text.components(separatedBy: "known:1").count == 2)
        let theirs = RegistriesConfiguration(operators: "unqualified-search-registries = [\"mine\"]\n", insecure: [])
            .text
        #expect(theirs.components(separatedBy: "unqualified-search-registries").count == 2)
    }

    @Test(arguments: [
        ("20.10.24+dfsg1", "1.41", true, false), ("18.06.3-ce", "1.41", false, false),
        ("28.2.2", "1.41", true, true), ("23.0.1", "1.38", false, true),
    ])
    func knowsWhichDockerHasBuildKit(_ client: String, _ api: String, _ has: Bool, _ plugin: Bool) throws {
        let server = #"{"Version":"1","ApiVersion":"\#(api)","Os":"linux","Arch":"amd64"}"#
        let json = #"{"Client":{"Version":"\#(client)"},"Server":\#(server)}"#
        let versions = try JSONDecoder().decode(DockerVersions.self, from: Data(json.utf8))
        #expect(versions.haveBuildKit == has)
        #expect(versions.needsPlugin == plugin)
    }

    @Test func handsOnNoSecretsOfTheService() {
        let environment = BuilderEnvironment([
            "PATH": "/bin", "REGISTRY_PASSWORD": "x", "CONTAINERS_STORAGE_CONF": "/s", "https_proxy": "p",
        ])
        #expect(environment.variables.keys.sorted() == ["CONTAINERS_STORAGE_CONF", "PATH", "https_proxy"])
    }

    @Test func saysWhatToInstallWhereNothingIs() async throws {
        let error = await #expect(throws: NoEngine.self) {
            try await Engines.choose(.auto, environment: ["PATH": "/nonexistent"])
        }
        #expect(error?.reasons.count == 3)
        #expect(error?.description.contains("apt-get install buildah") == true)
    }

    @Test func removesThePrivateFolderInTheEnd() async throws {
        let scratch = NSTemporaryDirectory() + "slipway-scratch-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        try await PrivateFolder.use(in: scratch, stage: .build) { folder in
            try folder.write(Data("x".utf8), to: "secret")
            var status = stat()
            #expect(stat(folder.path + "/secret", &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(stat(folder.path, &status) == 0 && status.st_mode & 0o777 == 0o700)
        }
        struct Stop: Error {}
        await #expect(throws: Stop.self) {
            try await PrivateFolder.use(in: scratch, stage: .build) { _ in throw Stop() }
        }
        await #expect(throws: Failure.self) {
            try await PrivateFolder.use(in: scratch, stage: .build) { folder in
                try folder.write(Data(), to: "one")
                try folder.write(Data(), to: "one")
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch).isEmpty)
        await #expect(throws: Failure.self) { try await PrivateFolder.use(in: scratch + "/no", stage: .build) { _ in } }
    }
}
