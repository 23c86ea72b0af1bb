import Foundation
import Model
import Platform
import TestSupport
import Testing

/// A registry, a Git repository and a Slipway that builds the one into the other; all in one folder, all its own.
final class Bed: @unchecked Sendable {
    static let secret = "a secret between us"
    static let triggerToken = "0123456789abcdef-trigger"

    let folder: TemporaryDirectory
    let registry: RegistryServer
    let git: GitProject
    private(set) var service: Service!

    var path: String { folder.path }
    var image: String { "\(registry.host)/acme/shop" }

    /// - Parameters:
    ///   - image: where images go, if not straight to the registry.
    ///   - source: what is cloned, if not the bare repository's path.
    ///   - poll: off, so that only what a test tells is built.
    init(
        engine: String = "buildah", workers: Int = 2, image: String? = nil, source: String? = nil,
        credentials: String = "",
        rules: String = "", more: String = "", registries: String = "", registry: RegistryServer? = nil,
        data: String? = nil,
        environment: [String: String] = [:], grace: String = "30s", poll: String = "off", start: Bool = true
    ) async throws {
        folder = try TemporaryDirectory()
        if let registry { self.registry = registry } else { self.registry = try await RegistryServer.start() }
        git = try GitProject(in: folder.path)
        // A storage of its own: what another test built is in no cache, and all of it goes with the folder.
        let storage = try folder.write(
            """
            [storage]
            driver = "overlay"
            graphroot = "\(folder.path)/storage"
            runroot = "\(folder.path)/storage-run"
            """, to: "storage.conf")
        self.environment = ["CONTAINERS_STORAGE_CONF": storage].merging(environment) { $1 }
        self.grace = grace
        let image = image ?? "\(self.registry.host)/acme/shop"
        let host = image.split(separator: "/")[0]
        let settings = """
            listen: 127.0.0.1:0
            data: \(data ?? folder.path + "/data")
            engine: \(engine)
            workers: \(workers)
            poll: \(poll)
            \(try await Machine.databaseSetting(for: folder.path))
            registries:
            \(registries.isEmpty ? "  \(host): {insecure: true}" : registries)
            repositories:
              acme/shop:
                source: \(source ?? git.bare)
                image: \(image)
                webhook_secret: "\(Self.secret)"
                trigger_tokens: ["\(Self.triggerToken)"]
            \(credentials)
            \(rules)
            \(more)
            """
        try Data(settings.utf8).write(to: URL(fileURLWithPath: config))
        if start { try await startService() }
    }

    private let environment: [String: String]
    private let grace: String
    var config: String { folder.path + "/slipway.yaml" }

    func startService(launcher: [String]? = nil) async throws {
        service = try await Service.start(
            config: config, environment: environment, grace: grace, launcher: launcher)
    }

    func append(settings: String) throws {
        try (String(contentsOfFile: config, encoding: .utf8) + "\n" + settings).write(
            toFile: config, atomically: true, encoding: .utf8)
    }

    func replace(_ old: String, _ new: String) throws {
        let text = try String(contentsOfFile: config, encoding: .utf8)
        try text.replacing(old, with: new).write(toFile: config, atomically: true, encoding: .utf8)
    }

    func stop() async {
        if let service { await service.stop() }
        registry.stop()
        Mounts.remove(path)
    }

    // MARK: Verbs

    /// A commit whose image holds the file /hello with this text, pushed and told.
    @discardableResult
    func push(
        _ text: String, to ref: String = "refs/heads/main", dockerfile: String? = nil, repository: String = "acme/shop"
    ) async throws -> Service.BuildView {
        try write(text, dockerfile)
        let commit = try git.commit("Say \(text)")
        try git.push(ref)
        let reply = try await tell(ref, commit, repository: repository)
        guard let build = reply.builds.first else { throw Service.NotStarted(description: "no build: \(reply.text)") }
        return build
    }

    func write(_ text: String, _ dockerfile: String? = nil) throws {
        try git.write("hello", text)
        try git.write("Dockerfile", dockerfile ?? "FROM scratch\nCOPY hello /hello\n")
    }

    /// The webhook of a push.
    func tell(_ ref: String, _ commit: String, repository: String = "acme/shop") async throws -> Service.Reply {
        try await send(Webhook(ref: ref, commit: commit, secret: Self.secret).body, to: "/webhooks/\(repository)")
    }

    /// A webhook's body, signed unless told otherwise.
    func send(
        _ body: Data, to path: String = "/webhooks/acme/shop", signature: String? = nil, event: String = "push"
    ) async throws -> Service.Reply {
        let right = "sha256=" + Crypto.hmacSHA256(key: Data(Self.secret.utf8), body).hex
        return try await service.request(
            "POST", path,
            headers: [
                "Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": UUID().uuidString,
                "X-Hub-Signature-256": signature ?? right,
            ], body: body)
    }

    func post(_ sent: SentWebhook, to path: String = "/webhooks/acme/shop") async throws -> Service.Reply {
        try await service.request("POST", path, headers: sent.headers, body: sent.body)
    }

    /// The text of /hello in the image under a tag.
    func hello(_ tag: String) async throws -> String? {
        try await registry.readFile("/hello", image: "acme/shop", tag: tag).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Waits until an attempt has failed, and the build is pending for another.
    func waitForRetry(of build: Service.BuildView) async throws -> Service.BuildView {
        try await service.wait(for: build.id, log: "; trying again in ", deadline: 120)
        return try await service.wait(for: build.id, ["pending"])
    }

    /// No attempt's folder and no child process is left. The service is stopped first: an attempt clears up after its
    /// build has ended.
    func expectNothingLeft() async throws {
        await service.stop()
        let work = path + "/data/work"
        let left = (try? FileManager.default.contentsOfDirectory(atPath: work)) ?? []
        #expect(left.isEmpty, "workspaces are left: \(left)")
        #expect(processes(mentioning: path + "/data/work").isEmpty)
    }

    /// Command lines of running processes that hold a text.
    func processes(mentioning text: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter { Int($0) != nil }.compactMap {
            pid in
            guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return nil }
            let line = String(decoding: bytes, as: UTF8.self).replacing("\0", with: " ")
            return line.contains(text) ? "\(pid): \(line)" : nil
        }
    }
}
