import Foundation
import Model
import Platform
import Registry
import Synchronization
import TestSupport
import Testing

@Suite struct RegistryClientTests {
    static let ociManifest = "application/vnd.oci.image.manifest.v1+json"

    static func digest(of body: String) -> String { "sha256:" + Crypto.sha256(Data(body.utf8)).hex }

    /// A client that speaks plain HTTP, for which there is always the same login.
    static func client(
        login: Login? = Login(username: "robot", password: Secret("s3cret")), timeout: Duration = .seconds(30),
        time: any TimeSource = SystemTime()
    ) -> RegistryClient {
        RegistryClient(
            configuration: { _ in RegistryConfiguration(insecure: true, login: login) }, dockerConfig: nil,
            timeout: timeout,
            time: time)
    }

    static func image(_ server: ScriptedServer) throws -> ImageName { try ImageName("\(server.host)/acme/shop") }
    let latest: Tag
    let client = client()

    init() throws {
        latest = try Tag("latest")
    }

    /// What an operation fails with; nil, and a recorded issue, where it doesn't fail with a registry's error.
    func failure(_ operation: () async throws -> some Any) async -> RegistryError? {
        await #expect(throws: RegistryError.self) { _ = try await operation() }
    }

    @Test func readsAManifest() async throws {
        let server = try ScriptedServer { request in
            .answer(
                200, [("Content-Type", Self.ociManifest), ("Docker-Content-Digest", Self.digest(of: "{ }"))], "{ }")
        }
        defer { server.stop() }
        let manifest = try await client.manifest(of: Self.image(server), tag: latest)
        #expect(manifest?.body == Data("{ }".utf8))
        #expect(manifest?.mediaType == Self.ociManifest)
        #expect(manifest?.digest.text == Self.digest(of: "{ }"))
        let request = try #require(server.requests.first)
        #expect(request.method == "GET" && request.target == "/v2/acme/shop/manifests/latest")
        #expect(request.headers["authorization"] == nil)
        for type in Manifest.mediaTypes { #expect(request.headers["accept"]?.contains(type) == true) }
        #expect(request.headers["user-agent"] == "slipway")
    }

    @Test func tellsADigestWithOrWithoutTheHeader() async throws {
        let server = try ScriptedServer { request in
            switch request.target.split(separator: "/").last {
            case "told":
                .answer(
                    200, [("Content-Type", Self.ociManifest), ("Docker-Content-Digest", Self.digest(of: "{}"))], "{}")
            case "untold": .answer(200, [("Content-Type", Self.ociManifest)], "{}")
            case "nohead":
                request.method == "HEAD" ? .answer(405) : .answer(200, [("Content-Type", Self.ociManifest)], "{}")
            default: .answer(404, [], #"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#)
            }
        }
        defer { server.stop() }
        let image = try Self.image(server)
        for tag in ["told", "untold", "nohead"] {
            #expect(try await client.digest(of: image, tag: Tag(tag))?.text == Self.digest(of: "{}"))
        }
        #expect(try await client.digest(of: image, tag: Tag("missing")) == nil)
        #expect(try await client.manifest(of: image, tag: Tag("missing")) == nil)
        #expect(server.requests.map(\.method) == ["HEAD", "HEAD", "GET", "HEAD", "GET", "HEAD", "GET"])
        #expect(server.connections == 1)
    }

    @Test func putsTheSameBytes() async throws {
        let body = "{\n  \"odd\":   \"spacing — kept\"\n}\n"
        let server = try ScriptedServer { request in
            .answer(
                201,
                [
                    (
                        "Docker-Content-Digest",
                        request.target.hasSuffix("wrong") ? Self.digest(of: "x") : Self.digest(of: body)
                    )
                ])
        }
        defer { server.stop() }
        let manifest = try Manifest(
            mediaType: Self.ociManifest, body: Data(body.utf8), digest: Digest(Self.digest(of: body)))
        #expect(try await client.put(manifest, as: latest, to: Self.image(server)) == manifest.digest)
        let request = try #require(server.requests.first)
        #expect(request.method == "PUT" && request.target == "/v2/acme/shop/manifests/latest")
        #expect(request.body == Data(body.utf8))
        #expect(request.headers["content-type"] == Self.ociManifest)
        let error = await failure { try await client.put(manifest, as: Tag("wrong"), to: Self.image(server)) }
        guard case .digestMismatch = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }

    @Test func noticesWrongBytes() async throws {
        let server = try ScriptedServer { _ in
            .answer(
                200, [("Content-Type", Self.ociManifest), ("Docker-Content-Digest", Self.digest(of: "other"))], "{}")
        }
        defer { server.stop() }
        let image = try Self.image(server)
        guard
            case .digestMismatch(_, let told, let computed) = await failure({
                try await client.manifest(of: image, tag: latest)
            })
        else { return #expect(Bool(false)) }
        #expect(told == Self.digest(of: "other") && computed.text == Self.digest(of: "{}"))
        let asked = try Digest(Self.digest(of: "other"))
        guard case .digestMismatch = await failure({ try await client.manifest(of: image, digest: asked) }) else {
            return #expect(Bool(false))
        }
        let long = try Digest("sha512:" + Crypto.sha512(Data("{}".utf8)).hex)
        #expect(try await client.manifest(of: image, digest: long)?.digest == long)
    }

    @Test func namesEveryFault() async throws {
        let server = try ScriptedServer { request in
            switch request.target.split(separator: "/").last {
            case "500": .answer(500, [], "oops")
            case "denied": .answer(403, [], #"{"errors":[{"code":"DENIED","message":"not\nyours"}]}"#)
            case "429": .answer(429, [("Retry-After", "7")])
            case "429-date": .answer(429, [("Retry-After", "Fri, 01 Jan 2100 00:00:10 GMT")])
            case "cut": .cut
            case "middle": .raw("HTTP/1.1 200 OK\r\nContent-Type: \(Self.ociManifest)\r\nContent-Length: 100\r\n\r\n{")
            case "html": .answer(200, [("Content-Type", "text/html")], "<html>")
            case "noise": .raw("SSH-2.0-OpenSSH_9.2\r\n")
            case "large":
                .answer(
                    200, [("Content-Type", Self.ociManifest)], String(repeating: " ", count: Manifest.sizeLimit + 1))
            case "large-error": .answer(502, [], String(repeating: "x", count: 5 << 20))
            case "loop": .answer(307, [("Location", request.target)])
            case "astray": .answer(307, [("Location", "file:///etc/passwd")])
            default: .answer(404)
            }
        }
        defer { server.stop() }
        let image = try Self.image(server)
        let time = StoppedTime(Date(timeIntervalSince1970: 4_102_444_800))
        let client = Self.client(time: time)
        for (tag, words, transient) in [
            ("500", "answered 500", true),
            ("denied", "refused the credentials of user \"robot\": \"DENIED: not yours\"", false),
            ("429", "after 7 s", true),
            ("429-date", "after 10 s", true),
            ("cut", "broke off", true),
            ("middle", "broke off", true),
            ("html", "is of type \"text/html\"", false),
            ("large", "more than 4194304 bytes", false),
            ("large-error", "answered 502", true),
            ("loop", "redirects more than 5 times", false),
            ("astray", "no usable address", false),
        ] {
            let error = await #expect(throws: RegistryError.self, "\(tag)") {
                try await client.manifest(of: image, tag: Tag(tag))
            }
            guard let error else { continue }
            #expect(error.description.contains(words), "\(tag): \(error)")
            #expect(error.description.hasPrefix("could not read the manifest of \(image):\(tag): "))
            #expect(error.isTransient == transient, "\(tag)")
            #expect(error.failure(stage: .tag).kind == .system)
        }
        let noise = try #require(await failure { try await client.manifest(of: image, tag: Tag("noise")) })
        #expect(noise.operation.host == server.host)
    }

    @Test func saysThatNobodyAnswers() async throws {
        let server = try ScriptedServer { _ in .hang }
        let image = try Self.image(server)
        let slow = await failure { try await Self.client(timeout: .milliseconds(200)).ping(host: image.registry) }
        guard case .unreachable = slow else { return #expect(Bool(false), "\(String(describing: slow))") }
        server.stop()
        let port = server.port
        for host in ["127.0.0.1:\(port)", "no-such-host.invalid"] {
            let down = await failure { try await client.ping(host: host) }
            guard case .unreachable = down else { return #expect(Bool(false), "\(String(describing: down))") }
        }
    }

    @Test func neverFallsBackToPlainHTTP() async throws {
        let server = try ScriptedServer { _ in .answer(200) }
        defer { server.stop() }
        let secure = RegistryClient(configuration: { _ in RegistryConfiguration() }, dockerConfig: nil)
        let error = try #require(await failure { try await secure.ping(host: server.host) })
        #expect(error.description.contains("insecure: true"), "\(error)")
        #expect(server.requests.isEmpty)
    }

    @Test func stopsWhenCancelled() async throws {
        let (started, signal) = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { _ in
            signal.yield()
            return .hang
        }
        defer { server.stop() }
        let image = try Self.image(server)
        let task = Task { [client, latest] in try await client.manifest(of: image, tag: latest) }
        var starts = started.makeAsyncIterator()
        await starts.next()
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }

    @Test func replacesAConnectionThatWasKeptInVain() async throws {
        // The first connection takes one request; the second request on it meets the end.
        let server = try ScriptedServer { request in
            request.connection == 0 && request.number > 0 ? .cut : .answer(200)
        }
        defer { server.stop() }
        try await client.ping(host: server.host)
        try await client.ping(host: server.host)
        #expect(server.connections == 2)
        #expect(server.requests.count == 3)
    }

    @Test func replacesItForABodyToo() async throws {
        let server = try ScriptedServer { request in
            request.connection == 0 && request.number > 0 ? .cut : .answer(200)
        }
        defer { server.stop() }
        try await client.ping(host: server.host)
        let manifest = try Manifest(
            mediaType: Self.ociManifest, body: Data("{}".utf8), digest: Digest(Self.digest(of: "{}")))
        #expect(try await client.put(manifest, as: latest, to: Self.image(server)) == manifest.digest)
        #expect(server.requests.map(\.connection) == [0, 0, 1])
        #expect(server.requests.last?.body == manifest.body)
    }
}

/// A time that stands still until it is moved.
final class StoppedTime: TimeSource {
    private let date: Mutex<Date>

    init(_ date: Date = Date(timeIntervalSince1970: 1_800_000_000)) {
        self.date = Mutex(date)
    }

    var now: Date { date.withLock { $0 } }

    func pass(_ seconds: Double) {
        date.withLock { $0 += seconds }
    }

    func sleep(for duration: Duration) async throws {
        pass(duration.seconds)
    }
}

/// Not Testing's.
typealias Tag = Model.Tag
