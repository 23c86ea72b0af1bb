import Engine
import Foundation
import FoundationNetworking
import Model
import Platform
import TestSupport
import Testing

/// A place to build in: a workspace, a registry with a base image, and an engine.
struct Workshop: Sendable {
    let builder: EngineTests.Builder
    let engine: any Engine
    let registry: PlainRegistry
    let base: String
    let folder: String
    let environment: [String: String]

    var scratch: String { folder + "/scratch" }
    var scratchIsEmpty: Bool { (try? FileManager.default.contentsOfDirectory(atPath: scratch).isEmpty) ?? false }

    static func open(
        _ builder: EngineTests.Builder, password: String? = nil, adding more: [String: String] = [:],
        _ body: @Sendable (Workshop) async throws -> Void
    ) async throws {
        let folder = "/tmp/slipway-workshop-" + Crypto.randomBytes(4).hex
        for part in ["/workspace", "/scratch", "/registry", "/storage"] {
            try FileManager.default.createDirectory(atPath: folder + part, withIntermediateDirectories: true)
        }
        defer { Mounts.remove(folder) }
        var environment = DockerDaemon.current?.environment ?? [:]
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        environment["HOME"] = folder
        let kind: EngineKind
        switch builder {
        case .buildKit, .classic:
            kind = .docker
            environment["DOCKER_BUILDKIT"] = builder == .classic ? "0" : "1"
        case .buildah, .podman:
            kind = builder == .buildah ? .buildah : .podman
            let storage =
                "[storage]\ndriver = \"overlay\"\ngraphroot = \"\(folder)/storage/graph\"\nrunroot = \"\(folder)/storage/run\"\n"
            try storage.write(toFile: folder + "/storage.conf", atomically: true, encoding: .utf8)
            environment["CONTAINERS_STORAGE_CONF"] = folder + "/storage.conf"
        }
        environment.merge(more) { $1 }
        let engine = try await Engines.choose(kind, environment: environment)
        if builder == .buildKit { #expect(engine.name.hasSuffix("BuildKit")) }
        let given = environment
        try await PlainRegistry.run(in: folder + "/registry", password: password) { registry in
            let base = try await BaseImage.push(to: registry.address, authorization: registry.authorization)
            let shop = Workshop(
                builder: builder, engine: engine, registry: registry, base: base.reference, folder: folder,
                environment: given)
            try await body(shop)
        }
    }

    func write(_ path: String, _ text: String) {
        let file = URL(fileURLWithPath: "\(folder)/workspace/\(path)")
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        } catch {
            Issue.record(error)
        }
    }

    func build(_ dockerfile: String = "Dockerfile", context: String = ".", tag: String) -> ImageBuild {
        let logins = registry.login.map { [registry.address: $0] } ?? [:]
        return ImageBuild(
            workspace: folder + "/workspace", dockerfile: "\(folder)/workspace/\(dockerfile)",
            context: context == "." ? folder + "/workspace" : "\(folder)/workspace/\(context)",
            reference: "\(registry.address)/acme/shop:\(tag)", logins: logins,
            insecureRegistries: [registry.address, "127.0.0.1:1"])
    }

    @discardableResult
    func buildAndPush(_ build: ImageBuild) async throws -> String {
        var output = Data()
        try await engine.build(build, scratch: scratch) { output += $0 }
        try await engine.push(build, scratch: scratch) { output += $0 }
        #expect(scratchIsEmpty)
        return String(decoding: output, as: UTF8.self)
    }

    /// Containers that builds of buildah left in the storage.
    func workingContainers() async throws -> String {
        guard builder == .buildah || builder == .podman else { return "" }
        let arguments = builder == .buildah ? ["containers", "--quiet"] : ["ps", "--all", "--external", "--quiet"]
        let captured = try await ChildProcess(builder.rawValue, arguments, environment: environment).capture()
        #expect(captured.ending == .exited(0))
        return String(decoding: captured.stdout, as: UTF8.self)
    }

    /// The ids of all processes of the machine that have a word in their arguments.
    func processes(with word: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter {
            FileManager.default.contents(atPath: "/proc/\($0)/cmdline")?.range(of: Data(word.utf8)) != nil
        }
    }

    /// Waits for the end of a process that is nobody's child here.
    func waitForEnd(of process: String) async throws -> Bool {
        let tail = ChildProcess("tail", ["--pid=\(process)", "-f", "/dev/null"], environment: environment)
        return try await tail.capture(timeout: .seconds(30)).ending == .exited(0)
    }

    /// What the registry has under a tag: the files of all layers, and the labels.
    func pull(_ tag: String) async throws -> Image {
        let manifest = try await registry.json("acme/shop/manifests/\(tag)")
        let config = try #require(manifest["config"] as? [String: Any])
        let image = try await registry.json("acme/shop/blobs/\(try #require(config["digest"] as? String))")
        let folder = "\(folder)/pulled-\(tag)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for layer in try #require(manifest["layers"] as? [[String: Any]]) {
            let blob = try await registry.get("acme/shop/blobs/\(try #require(layer["digest"] as? String))")
            let tar = ChildProcess(
                "tar", ["-xzf", "-", "-C", folder, "--no-same-owner"], environment: environment, input: blob)
            #expect(try await tar.capture().ending == .exited(0))
        }
        let settings = image["config"] as? [String: Any]
        return Image(folder: folder, labels: settings?["Labels"] as? [String: String] ?? [:])
    }

    struct Image {
        let folder: String
        let labels: [String: String]

        func file(_ path: String) -> String? {
            try? String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8)
        }
    }
}

/// Debian's docker-registry on loopback, in plain HTTP, with a password or without.
struct PlainRegistry: Sendable {
    let address: String
    let login: Login?

    var authorization: String? {
        login.map { "Basic " + Data("\($0.username):\($0.password.value)".utf8).base64EncodedString() }
    }

    static func run(
        in folder: String, password: String?, _ body: @Sendable (PlainRegistry) async throws -> Void
    ) async throws {
        let environment = ["PATH": "/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"]
        let port = try freePort()
        var text =
            "version: 0.1\nstorage: {filesystem: {rootdirectory: \(folder)/data}}\nhttp: {addr: 127.0.0.1:\(port)}\n"
        if let password {
            let made = try await ChildProcess("htpasswd", ["-nbB", "ci", password], environment: environment).capture()
            try made.stdout.write(to: URL(fileURLWithPath: folder + "/htpasswd"))
            text += "auth: {htpasswd: {realm: test, path: \(folder)/htpasswd}}\n"
        }
        try text.write(toFile: folder + "/config.yml", atomically: true, encoding: .utf8)
        let child = ChildProcess("docker-registry", ["serve", folder + "/config.yml"], environment: environment)
        let (ready, isReady) = AsyncStream<Void>.makeStream()
        let running = Task {
            var output = Data()
            defer { isReady.finish() }
            _ = try await child.run(grace: .seconds(1)) {
                output += $0
                if output.range(of: Data("listening on".utf8)) != nil { isReady.yield() }
            }
        }
        let started = await withDeadline(.seconds(60)) { await ready.first { _ in true } != nil } ?? false
        var failure: (any Error)?
        if started {
            let login = password.map { Login(username: "ci", password: Secret($0)) }
            do {
                try await body(PlainRegistry(address: "127.0.0.1:\(port)", login: login))
            } catch {
                failure = error
            }
        }
        running.cancel()
        try await running.value
        if let failure { throw failure }
        #expect(started, "docker-registry did not start")
    }

    func get(_ path: String) async throws -> Data {
        var request = URLRequest(url: try #require(URL(string: "http://\(address)/v2/\(path)")))
        request.setValue(authorization, forHTTPHeaderField: "Authorization")
        for type in ["vnd.docker.distribution.manifest.v2", "vnd.oci.image.manifest.v1"] {
            request.addValue("application/\(type)+json", forHTTPHeaderField: "Accept")
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        #expect((response as? HTTPURLResponse)?.statusCode == 200, "\(path)")
        return data
    }

    func json(_ path: String) async throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: try await get(path)) as? [String: Any])
    }

    private static func freePort() throws -> UInt16 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let got = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        #expect(got)
        return UInt16(bigEndian: address.sin_port)
    }
}

extension ImageBuild {
    func with(logins: [String: Login]) -> ImageBuild {
        var copy = self
        copy.logins = logins
        return copy
    }
}
